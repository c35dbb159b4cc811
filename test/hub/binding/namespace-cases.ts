import type { RepositoryBinding } from '../../../src/hub/binding/binding-types.ts'
import { assertEqual, assertTrue } from '../../../src/storage/conformance/assertions.ts'
import {
  ABSENT,
  assertFails,
  author,
  bindingCase,
  bytesOf,
  fill,
  wrong,
  type BindingCase,
} from './binding-case.ts'

/** What the methods of a namespace promise, and those of a repository that are not about its content. */
export const NAMESPACE_CASES: readonly BindingCase[] = [
  bindingCase('create gives what the types say, and a token', async (binding) => {
    const created = await binding.create('One', {
      description: 'the first',
      readOnly: false,
      setDefaultBranch: 'trunk',
    })
    const { id, token, remote, ...rest } = created
    assertEqual(rest, { name: 'One', description: 'the first', defaultBranch: 'trunk' }, 'the result')
    assertTrue(/^[0-9a-z]{16}$/.test(id), `the id is ${id}`)
    assertTrue(/^art_v2_x_[0-9a-f]{40}\?expires=\d+$/.test(token), `the token is ${token}`)
    assertTrue(/^https:\/\/[^/]+\/git\/[^/]+\/One\.git$/.test(remote), `the remote is ${remote}`)
    assertEqual((await binding.create('bare')).description, null, 'a description that was not given')
  }),
  bindingCase('create refuses what cannot be a repository, and takes a name once', async (binding) => {
    for (const name of ['', '-x', 'a b', 'ü', wrong(undefined), wrong(5)])
      await assertFails(() => binding.create(name), 'INVALID_REPO_NAME', 10101, 'Invalid repo name.')
    await binding.create('taken')
    await assertFails(() => binding.create('TAKEN'), 'ALREADY_EXISTS', 10201, 'repo already exists: TAKEN')
    for (const options of [5, 'x', [], { description: 5 }, { readOnly: 'yes' }, { setDefaultBranch: 5 }])
      await assertFails(() => binding.create('bad', wrong(options)), 'INVALID_INPUT', 10100)
    for (const setDefaultBranch of ['', 'a..b', '-x', 'x.lock', 'a b', '@{x'])
      await assertFails(
        () => binding.create('bad', { setDefaultBranch }),
        'INVALID_INPUT',
        10100,
        'Artifacts default branch is invalid',
      )
    const racers = await Promise.allSettled([1, 2, 3].map(() => binding.create('raced')))
    assertEqual(racers.filter(({ status }) => status === 'fulfilled').length, 1, 'winners of a race')
  }),
  bindingCase('get finds repositories by name in any case, and no others', async (binding) => {
    await assertFails(() => binding.get('None'), 'NOT_FOUND', 10200, 'Repository not found: None.')
    await assertFails(() => binding.get('-'), 'INVALID_REPO_NAME', 10101)
    const { id } = await binding.create('Some')
    const info = await (await binding.get('SOME')).info()
    assertEqual([info.id, info.name], [id, 'Some'], 'what was found')
  }),
  bindingCase('list pages through repositories, newest first', async (binding) => {
    assertEqual(await binding.list(), { repos: [], total: 0 }, 'an empty namespace')
    for (const name of ['a', 'b', 'c']) {
      await binding.create(name)
      await new Promise((resolve) => setTimeout(resolve, 3))
    }
    const first = await binding.list({ limit: 2 })
    assertEqual([first.repos.map(({ name }) => name), first.total], [['c', 'b'], 3], 'the first page')
    assertTrue(first.cursor !== undefined, 'the first page has no cursor')
    const last = await binding.list({ limit: 2, cursor: first.cursor })
    assertEqual([last.repos.map(({ name }) => name), last.cursor], [['a'], undefined], 'the last page')
    const keys = ['id', 'name', 'description', 'defaultBranch', 'createdAt', 'updatedAt', 'lastPushAt']
    assertEqual(Object.keys(last.repos[0] ?? {}), [...keys, 'source', 'readOnly', 'status'], 'keys of a row')
    assertEqual((await binding.list({ cursor: 'nonsense' })).repos.length, 3, 'a foreign cursor')
    for (const limit of [0, 201, 1.5, wrong('5')])
      await assertFails(
        () => binding.list({ limit }),
        'INVALID_INPUT',
        10100,
        'Invalid limit: must be between 1 and 200.',
      )
    await assertFails(() => binding.list(wrong('x')), 'INVALID_INPUT', 10100)
  }),
  bindingCase(
    'delete says whether there was one, and a capability never means another repository',
    async (binding) => {
      await binding.create('gone')
      const repo = await binding.get('gone')
      assertEqual(await binding.delete('GONE'), true, 'deleting')
      assertEqual(await binding.delete('gone'), false, 'deleting again')
      assertEqual(await binding.delete('never'), false, 'deleting what never was')
      await assertFails(() => binding.delete('-'), 'INVALID_REPO_NAME', 10101)
      const isGone = async (): Promise<void> => {
        const calls = [
          () => repo.info(),
          () => repo.log(),
          () => repo.createToken(),
          () => repo.listTokens(),
          () => repo.revokeToken('0123456789abcdef'),
          () => repo.readBlob(ABSENT),
          () => repo.readTree(ABSENT),
          () => repo.readCommit(ABSENT),
          () => repo.readFile({ ref: 'main', path: 'x' }),
          () => repo.fork('other'),
          () => repo.listRefs(),
        ]
        for (const call of calls) await assertFails(call, 'NOT_FOUND', 10200, 'Repository not found: gone.')
      }
      await isGone()
      await binding.create('gone')
      await isGone()
    },
  ),
  bindingCase('info is looked up anew by each call', async (binding) => {
    const { id, remote } = await binding.create('info', { description: 'd', readOnly: true })
    const repo = await binding.get('info')
    const info = await repo.info()
    const { createdAt, updatedAt, ...rest } = info
    assertEqual(
      rest,
      {
        id,
        name: 'info',
        description: 'd',
        defaultBranch: 'main',
        lastPushAt: null,
        source: null,
        readOnly: true,
        remote,
      },
      'the info',
    )
    assertTrue(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(createdAt), `createdAt is ${createdAt}`)
    assertTrue(updatedAt >= createdAt, `updatedAt is ${updatedAt}`)
    const { repo: pushed } = await fill(binding, 'pushed')
    assertTrue((await pushed.info()).lastPushAt !== null, 'lastPushAt is null after a push')
  }),
  bindingCase('tokens are made, listed and revoked', async (binding) => {
    await binding.create('tokens')
    await binding.create('others')
    const repo = await binding.get('tokens')
    const others = await binding.get('others')
    const token = await repo.createToken()
    assertEqual(token.scope, 'write', 'the scope')
    const lasts = Date.parse(token.expiresAt) - Date.now()
    assertTrue(lasts > 86_000_000 && lasts <= 86_401_000, `it lasts ${lasts} ms`)
    const reading = await repo.createToken('read', 60)
    assertEqual(reading.scope, 'read', 'the scope')
    await assertFails(() => repo.createToken(wrong('admin')), 'INVALID_INPUT', 10100)
    for (const ttl of [59, 31_536_001, 60.5, wrong('60')])
      await assertFails(
        () => repo.createToken('read', ttl),
        'INVALID_TTL',
        10103,
        `Invalid TTL ${ttl}: must be between 60 and 31536000 seconds.`,
      )
    const listed = await repo.listTokens()
    assertEqual([listed.total, listed.tokens.length], [3, 3], 'how many tokens there are')
    assertEqual(
      Object.keys(listed.tokens[0] ?? {}),
      ['id', 'scope', 'state', 'createdAt', 'expiresAt'],
      'keys',
    )
    assertEqual(await others.revokeToken(token.id), false, 'revoking the token of another repository')
    assertEqual(await repo.revokeToken(token.plaintext), true, 'revoking by text')
    assertEqual(await repo.revokeToken(token.id), false, 'revoking again')
    assertEqual(await repo.revokeToken(reading.id), true, 'revoking by id')
    assertEqual(await repo.revokeToken('0123456789abcdef'), false, 'revoking an unknown one')
    for (const text of ['', 'nonsense', wrong(5)])
      await assertFails(
        () => repo.revokeToken(text),
        'INVALID_INPUT',
        10100,
        'Invalid tokenOrId: must be a token id or artifact token.',
      )
    const after = await repo.listTokens()
    assertEqual(
      after.tokens.map(({ state }) => state),
      ['active', 'revoked', 'revoked'],
      'states',
    )
  }),
  bindingCase(
    'fork takes the default branch, or everything, and nothing of it is shared afterwards',
    async (binding) => {
      const { repo, second } = await fill(binding, 'parent')
      await repo.commit({
        branch: 'topic',
        startPoint: second,
        changes: [{ path: 't', content: 't' }],
        message: 't',
        author,
      })
      const created = await repo.fork('child', { description: 'd', readOnly: true })
      const keys = ['id', 'name', 'description', 'defaultBranch', 'remote', 'token']
      assertEqual(Object.keys(created), keys, 'keys of the result')
      const child = await binding.get('child')
      const names = async (one: RepositoryBinding): Promise<string[]> =>
        (await one.listRefs({ prefix: 'refs/' })).refs.map(({ name }) => name)
      assertEqual(await names(child), ['refs/heads/main'], 'refs of the fork')
      const info = await child.info()
      assertTrue(
        /^artifacts:[^/]+\/parent$/.test(info.source ?? ''),
        `the source is ${info.source ?? 'null'}`,
      )
      assertEqual([info.readOnly, info.description], [true, 'd'], 'its options')
      await repo.fork('whole', { defaultBranchOnly: false })
      assertEqual(
        await names(await binding.get('whole')),
        ['refs/heads/main', 'refs/heads/topic'],
        'all refs',
      )
      await assertFails(() => repo.fork('child'), 'ALREADY_EXISTS', 10201, 'repo already exists: child')
      await assertFails(() => repo.fork('-'), 'INVALID_REPO_NAME', 10101)
      await assertFails(() => repo.fork('x', wrong({ readOnly: 1 })), 'INVALID_INPUT', 10100)
      const later = await repo.commit({
        changes: [{ path: 'later', content: 'secret' }],
        message: 'l',
        author,
      })
      assertTrue(later.kind === 'committed', `the commit was ${later.kind}`)
      const blob = (await repo.diff({ to: later.commit })).files[0]?.newHash ?? ''
      assertEqual(await bytesOf(await repo.readBlob(blob)), [115, 101, 99, 114, 101, 116], 'the parent')
      assertEqual(
        [
          await child.readBlob(blob),
          await child.readCommit(later.commit),
          await child.readTree(later.tree),
          await child.log({ ref: later.commit }),
          await child.openBlob(blob),
          await child.readFile({ ref: later.commit, path: 'later' }),
        ],
        [null, null, null, [], null, null],
        'what came to the parent later, seen by the fork',
      )
      const whole = await binding.get('whole')
      const stolen = await whole.commit({ changes: [{ path: 'x', blob }], message: 'x', author })
      assertEqual(stolen, { kind: 'not-found', path: 'x' }, 'a blob of the parent put into the fork')
      await binding.delete('parent')
      assertEqual((await child.log()).length, 2, 'the log of the fork when its parent is gone')
    },
  ),
  bindingCase('import fails by the documented codes, and leaves nothing', async (binding) => {
    const from =
      (url: unknown, more = {}) =>
      () =>
        binding.import(wrong({ source: { url, ...more }, target: { name: 'imported' } }))
    const https = 'Invalid source.url: must be an HTTPS URL.'
    await assertFails(from('http://host.example/a.git'), 'INVALID_INPUT', 10100, https)
    for (const url of ['nonsense', '', undefined])
      await assertFails(from(url), 'INVALID_INPUT', 10100, 'Invalid source.url: must be a valid URL.')
    for (const depth of [0, -1, 1.5])
      await assertFails(from('https://host.example/a', { depth }), 'INVALID_INPUT', 10100)
    await assertFails(
      from('https://host.example/private.git'),
      'REMOTE_AUTH_REQUIRED',
      10106,
      'Authentication is required to access the remote repository.',
    )
    await assertFails(
      from('https://host.example/absent.git'),
      'NOT_FOUND',
      10200,
      'Remote repository not found.',
    )
    await assertFails(
      from('https://host.example/page'),
      'INVALID_URL',
      10104,
      'The URL does not point to a git repository.',
    )
    await assertFails(
      from('https://host.example/broken.git'),
      'UPSTREAM_UNAVAILABLE',
      10401,
      'The upstream service is unavailable. Please retry.',
    )
    const named = (name: unknown) => () =>
      binding.import(wrong({ source: { url: 'https://host.example/page' }, target: { name } }))
    await assertFails(named('-'), 'INVALID_REPO_NAME', 10101)
    await binding.create('there')
    await assertFails(named('There'), 'ALREADY_EXISTS', 10201)
    assertEqual(
      (await binding.list()).repos.map(({ name }) => name),
      ['there'],
      'what is left',
    )
  }),
  bindingCase('a capability that was disposed of does nothing any more', async (binding) => {
    await binding.create('disposed')
    const repo = await binding.get('disposed')
    await repo.info()
    repo[Symbol.dispose]()
    let failed = false
    await repo.info().catch(() => {
      failed = true
    })
    assertTrue(failed, 'it still answers')
    const other = await binding.get('disposed')
    assertEqual((await other.info()).name, 'disposed', 'another capability')
  }),
]
