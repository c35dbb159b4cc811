import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { git, gitFails, tryGit } from '../support/git.ts'
import { createRandom } from '../support/random.ts'
import { startTestHub, withToken, type CreatedResult, type TestHub } from './support.ts'

let top: string
/** A work tree with one commit on `main`. */
let tree: string

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'packstone-hub-git-'))
  tree = join(top, 'tree')
  await git(['init', '--quiet', tree])
  await writeFile(join(tree, 'file'), 'content\n')
  await git(['add', '.'], { cwd: tree })
  await git(['commit', '--quiet', '-m', 'first'], { cwd: tree })
})

afterAll(() => rm(top, { recursive: true, force: true }))

async function create(hub: TestHub, name: string, more: object = {}): Promise<CreatedResult> {
  return hub.result<CreatedResult>('POST', '/namespaces/team/repos', { name, ...more })
}

async function mint(hub: TestHub, repo: string, more: object = {}): Promise<string> {
  const token = await hub.result<{ plaintext: string }>('POST', '/namespaces/team/tokens', { repo, ...more })
  return token.plaintext
}

function push(url: string): ReturnType<typeof tryGit> {
  return tryGit(['push', url, 'HEAD:refs/heads/main'], { cwd: tree })
}

const secretOf = (token: string): string => token.replace(/\?.*/, '')

function askRefs(
  remote: string,
  headers: Record<string, string>,
  service = 'git-upload-pack',
): Promise<Response> {
  return fetch(`${remote}/info/refs?service=${service}`, { headers })
}

it('who pushes with the token of a creation, clones it again, in any case of its name', async () => {
  const hub = await startTestHub()
  const { remote, token } = await create(hub, 'Repo')
  expect((await push(withToken(remote, token))).code).toBe(0)
  const other = withToken(remote.replace('/team/Repo.git', '/TEAM/rEPO.git'), token)
  await git(['clone', '--quiet', other, join(top, 'clone')])
  expect(await git(['rev-parse', 'HEAD'], { cwd: join(top, 'clone') })).toBe(
    await git(['rev-parse', 'HEAD'], { cwd: tree }),
  )
  expect(hub.failures).toEqual([])
})

it('a push moves the times of its repository, and a fetch or a refused push does not', async () => {
  let now = 1_700_000_000_000
  const hub = await startTestHub({ clock: () => now })
  const { remote, token } = await create(hub, 'a')
  const times = async (): Promise<unknown[]> => {
    const shown = await hub.result('GET', '/namespaces/team/repos/a')
    return [shown['created_at'], shown['updated_at'], shown['last_push_at']]
  }
  expect(await times()).toEqual(['2023-11-14T22:13:20.000Z', '2023-11-14T22:13:20.000Z', null])
  now += 1000
  await git(['ls-remote', withToken(remote, token)])
  expect((await times())[2]).toBe(null)
  await push(withToken(remote, token))
  expect(await times()).toEqual([
    '2023-11-14T22:13:20.000Z',
    '2023-11-14T22:13:21.000Z',
    '2023-11-14T22:13:21.000Z',
  ])
  now += 1000
  const refused = await tryGit(['push', withToken(remote, token), 'HEAD~0:refs/heads/main/below'], {
    cwd: tree,
  })
  expect(refused.code).toBe(1)
  expect((await times())[2]).toBe('2023-11-14T22:13:21.000Z')
})

describe('a token opens its repository', () => {
  it('in every form in which clients present it', async () => {
    const hub = await startTestHub()
    const { remote, token } = await create(hub, 'a')
    const secret = secretOf(token)
    const basic = (user: string, password: string): Record<string, string> => ({
      Authorization: `Basic ${btoa(`${user}:${password}`)}`,
    })
    const forms: readonly (readonly [string, Record<string, string>, number])[] = [
      ['Bearer with the full token', { Authorization: `Bearer ${token}` }, 200],
      ['Bearer with the secret', { Authorization: `Bearer ${secret}` }, 200],
      ['bearer in another case', { Authorization: `bearer ${secret}` }, 200],
      ['Basic with the secret', basic('x', secret), 200],
      ['Basic without a user', basic('', secret), 200],
      ['Basic with the full token', basic('anyone', token), 200],
      ['Basic with the token percent-encoded', basic('x', encodeURIComponent(token)), 200],
      ['another hint', { Authorization: `Bearer ${secret}?expires=1` }, 200],
      ['the secret as the user', basic(secret, ''), 401],
      ['no credentials', {}, 401],
      ['another scheme', { Authorization: `Digest ${secret}` }, 401],
      ['what is not base64', { Authorization: 'Basic %%%' }, 401],
      ['a secret in upper case', { Authorization: `Bearer ${secret.toUpperCase()}` }, 403],
      ['another hint than digits', { Authorization: `Bearer ${secret}?expires=x` }, 403],
      ['a part of the secret', { Authorization: `Bearer ${secret.slice(0, -1)}` }, 403],
    ]
    for (const [form, headers, status] of forms) {
      expect([form, (await askRefs(remote, headers)).status]).toEqual([form, status])
    }
    const anonymous = await askRefs(remote, {})
    expect(anonymous.headers.get('WWW-Authenticate')).toBe('Basic realm="artifacts"')
    expect(await anonymous.text()).toBe('Authentication required')
  })

  it('also as version 1, which is not minted any more', async () => {
    const hub = await startTestHub()
    const { remote, id } = await create(hub, 'a')
    const secret = `art_v1_${'0123456789'.repeat(4)}`
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(secret))
    await hub.registry.createToken(
      {
        id: 'oldoldoldoldoldo',
        repository: id,
        hash: Buffer.from(digest).toString('hex'),
        scope: 'read',
        createdAt: Date.now(),
        expiresAt: Date.now() + 60_000,
        revokedAt: null,
      },
      { keepOver: 100 },
    )
    expect((await askRefs(remote, { Authorization: `Bearer ${secret}?expires=12` })).status).toBe(200)
  })

  it('only while it is neither expired nor revoked, from the next request on, on every process', async () => {
    let now = Date.now()
    const hub = await startTestHub({ clock: () => now })
    const second = await startTestHub({ clock: () => now, storage: hub.storage, registry: hub.registry })
    const { remote } = await create(hub, 'a')
    const elsewhere = remote.replace(hub.url, second.url)
    const minted = await hub.result<{ id: string; plaintext: string }>('POST', '/namespaces/team/tokens', {
      repo: 'a',
      ttl: 60,
    })
    const lasting = await mint(hub, 'a')
    const ask = async (token: string): Promise<[number, string]> => {
      const answer = await askRefs(elsewhere, { Authorization: `Bearer ${token}` })
      return [answer.status, answer.status === 200 ? '' : await answer.text()]
    }
    expect(await ask(minted.plaintext)).toEqual([200, ''])
    now += 60_000
    expect(await ask(minted.plaintext)).toEqual([403, 'Invalid or expired token'])
    expect(await ask(lasting)).toEqual([200, ''])
    const listed = await hub.result<{ id: string }[]>('GET', '/namespaces/team/repos/a/tokens')
    await hub.result('DELETE', `/namespaces/team/tokens/${listed[0]?.id ?? ''}`)
    expect(await ask(lasting)).toEqual([403, 'Invalid or expired token'])
  })
})

describe('real git is told', () => {
  it('to authenticate, when it comes without credentials, to a repository or to none', async () => {
    const hub = await startTestHub()
    const { remote } = await create(hub, 'a')
    for (const url of [remote, `${hub.url}/git/team/none.git`]) {
      expect(await gitFails(['ls-remote', url])).toMatch(/could not read Username/)
      expect(await (await askRefs(url, {})).text()).toBe('Authentication required')
    }
  })

  it('the same of a token that is unknown, expired, revoked, of another repository or of none', async () => {
    let now = Date.now()
    const hub = await startTestHub({ clock: () => now })
    const a = await create(hub, 'a')
    const b = await create(hub, 'b')
    const gone = await create(hub, 'gone')
    const expired = await mint(hub, 'a', { ttl: 60 })
    now += 61_000
    const revoked = await mint(hub, 'a')
    const { id } = await hub.registry
      .listTokens({ repository: a.id, now, limit: 1, offset: 0 })
      .then(({ tokens }) => tokens[0] ?? { id: '' })
    await hub.result('DELETE', `/namespaces/team/tokens/${id}`)
    await hub.result('DELETE', '/namespaces/team/repos/gone')
    const refused: readonly (readonly [string, string])[] = [
      [a.remote, `art_v2_x_${'0'.repeat(40)}`],
      [a.remote, 'no token at all'],
      [a.remote, expired],
      [a.remote, revoked],
      [a.remote, b.token],
      [`${hub.url}/git/team/none.git`, a.token],
      [`${hub.url}/git/none/a.git`, a.token],
      [gone.remote, gone.token],
    ]
    for (const [remote, token] of refused) {
      const url = withToken(remote, secretOf(token))
      for (const failure of [await gitFails(['ls-remote', url]), (await push(url)).stderr]) {
        expect(failure).toContain('remote: Invalid or expired token')
        expect(failure).toContain('403')
      }
    }
    expect(await git(['ls-remote', withToken(a.remote, a.token)])).toBe('')
  })

  it('at discovery that a read token may not push, and lets it fetch', async () => {
    const hub = await startTestHub()
    const { remote, token } = await create(hub, 'a')
    await push(withToken(remote, token))
    const read = await mint(hub, 'a', { scope: 'read' })
    expect((await push(withToken(remote, read))).stderr).toContain('remote: Insufficient permissions')
    expect(await git(['ls-remote', withToken(remote, read)])).toContain('refs/heads/main')
    const discovery = await askRefs(remote, { Authorization: `Bearer ${read}` }, 'git-receive-pack')
    expect([discovery.status, await discovery.text()]).toEqual([403, 'Insufficient permissions'])
    const sent = await fetch(`${remote}/git-receive-pack`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${read}`, 'Content-Type': 'application/x-git-receive-pack-request' },
      body: '0000',
    })
    expect(sent.status).toBe(403)
  })

  it('that a read-only repository takes no push, unless the hub is told to do as Artifacts does', async () => {
    const hub = await startTestHub()
    const { remote, token } = await create(hub, 'a', { read_only: true })
    expect((await push(withToken(remote, token))).stderr).toContain('remote: Repository is read-only')
    expect(await git(['ls-remote', withToken(remote, token)])).toBe('')
    const lenient = await startTestHub({ git: { pushToReadOnly: true } })
    const other = await create(lenient, 'a', { read_only: true })
    expect((await push(withToken(other.remote, other.token))).code).toBe(0)
  })

  it('that there is nothing beside smart HTTP', async () => {
    const hub = await startTestHub()
    const { remote, token } = await create(hub, 'a')
    const headers = { Authorization: `Bearer ${token}` }
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/HEAD'],
      ['GET', '/info/refs'],
      ['GET', '/info/refs?service=git-archive'],
      ['HEAD', '/info/refs?service=git-upload-pack'],
      ['GET', '/git-upload-pack'],
      ['POST', '/info/refs?service=git-upload-pack'],
    ] as const) {
      const answer = await fetch(remote + path, { method, headers })
      expect([method, path, answer.status]).toEqual([method, path, 404])
      if (method !== 'HEAD') expect(await answer.text()).toBe('Not found')
    }
  })

  it('how long to wait when it asks too often', async () => {
    const hub = await startTestHub({ limits: { gitRate: { requests: 2, seconds: 10 } } })
    const a = await create(hub, 'a')
    const b = await create(hub, 'b')
    const ask = async ({ remote, token }: CreatedResult): Promise<[number, string | null]> => {
      const answer = await askRefs(remote, { Authorization: `Bearer ${token}` })
      await answer.arrayBuffer()
      return [answer.status, answer.headers.get('Retry-After')]
    }
    expect([await ask(a), await ask(a)]).toEqual([
      [200, null],
      [200, null],
    ])
    const [status, wait] = await ask(a)
    expect(status).toBe(429)
    expect(Number(wait)).toBeGreaterThanOrEqual(1)
    expect(await ask(b)).toEqual([200, null])
  })
})

it('a push that saw a ref elsewhere is told so in the words of Artifacts, and may do anything else to refs', async () => {
  const hub = await startTestHub()
  const { remote, token } = await create(hub, 'a')
  const url = withToken(remote, token)
  await git(['push', '--quiet', url, 'HEAD:refs/heads/main', 'HEAD:refs/notes/n', 'HEAD:refs/any/thing'], {
    cwd: tree,
  })
  const line = `${'1'.repeat(40)} ${'0'.repeat(40)} refs/heads/main\0report-status\n`
  const answer = await fetch(`${remote}/git-receive-pack`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/x-git-receive-pack-request' },
    body: `${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`,
  })
  expect([answer.status, await answer.text()]).toEqual([
    200,
    '000eunpack ok\n0021ng refs/heads/main stale ref\n0000',
  ])
  await git(['commit', '--quiet', '--amend', '-m', 'amended'], { cwd: tree })
  await git(['push', '--quiet', '--force', url, 'HEAD:refs/heads/main'], { cwd: tree })
  await git(['push', '--quiet', '--atomic', url, ':refs/heads/main', ':refs/notes/n'], { cwd: tree })
  expect(await git(['ls-remote', url])).toMatch(/^[0-9a-f]{40}\trefs\/any\/thing$/)
})

it('what a push says with `-o` reaches the hooks of an embedded hub, which may decline it', async () => {
  const said: unknown[] = []
  const hub = await startTestHub({
    git: {
      receivePack: {
        hooks: {
          preReceive: (_commands, { pushOptions }) => {
            said.push(pushOptions)
            const isDry = pushOptions.includes('dry')
            return Promise.resolve(isDry ? { kind: 'decline', reason: 'asked to' } : { kind: 'accept' })
          },
        },
      },
    },
  })
  const { remote, token } = await create(hub, 'a')
  const url = withToken(remote, token)
  const declined = await tryGit(['push', '-o', 'dry', url, 'HEAD:refs/heads/main'], { cwd: tree })
  expect(declined.stderr).toContain('[remote rejected] HEAD -> main (asked to)')
  await git(['push', '--quiet', '-o', 'ci.skip', '-o', 'a=b c', url, 'HEAD:refs/heads/main'], { cwd: tree })
  expect(said).toEqual([['dry'], ['ci.skip', 'a=b c']])
})

it('a repository takes no more than its limit, and no object beyond its own', async () => {
  const hub = await startTestHub({ limits: { repositoryBytes: 20_000, objectBytes: 30_000 } })
  const { remote, token } = await create(hub, 'a')
  const big = join(top, 'big')
  await git(['init', '--quiet', big])
  const random = createRandom(7)
  const commit = async (content: Uint8Array): Promise<void> => {
    await writeFile(join(big, 'file'), content)
    await git(['add', '.'], { cwd: big })
    await git(['commit', '--quiet', '--amend', '-m', 'x'], { cwd: big })
  }
  await git(['commit', '--quiet', '--allow-empty', '-m', 'x'], { cwd: big })
  const pushBig = (): ReturnType<typeof tryGit> =>
    tryGit(['push', '--force', withToken(remote, token), 'HEAD:refs/heads/main'], { cwd: big })
  await commit(new Uint8Array(31_000))
  expect((await pushBig()).code).not.toBe(0)
  await commit(random.bytes(15_000))
  expect((await pushBig()).code).toBe(0)
  await commit(random.bytes(15_000))
  const refused = await pushBig()
  expect(refused.code).not.toBe(0)
  expect(refused.stderr).toMatch(/exceeds|limit|larger/)
})
