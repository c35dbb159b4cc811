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

/** What the methods of a repository promise that are about its content. */
export const CONTENT_CASES: readonly BindingCase[] = [
  bindingCase('readBlob, readTree and readCommit read by hash', async (binding) => {
    const { repo, first, second } = await fill(binding, 'objects')
    const commit = await repo.readCommit(second)
    assertTrue(commit !== null, 'the commit is null')
    const person = { name: author.name, email: author.email }
    assertEqual(
      { ...commit, treeHash: '' },
      {
        hash: second,
        treeHash: '',
        message: ' a change\n\nwith a body',
        author: person,
        committer: person,
        parents: [first],
        authoredAt: author.time,
        committedAt: author.time,
      },
      'the commit',
    )
    const tree = await repo.readTree(commit.treeHash)
    assertEqual(
      tree?.map(({ name, mode, type }) => [name, mode, type].join(' ')),
      [
        'README.md 100644 blob',
        'bin 40000 tree',
        'large 100644 blob',
        'latin 100644 blob',
        'link 120000 symlink',
        'logo.PNG 100644 blob',
        'page.html 100644 blob',
        'zeros 100644 blob',
      ],
      'the tree',
    )
    const hashOf = (name: string): string => tree?.find((entry) => entry.name === name)?.hash ?? ''
    const blob = await repo.readBlob(hashOf('zeros'))
    assertEqual([blob?.type, await bytesOf(blob)], ['', [1, 0, 2]], 'the blob')
    for (const hash of [ABSENT, commit.treeHash, second])
      assertEqual(await repo.readBlob(hash), null, `the blob ${hash}`)
    assertEqual([await repo.readTree(ABSENT), await repo.readCommit(ABSENT)], [null, null], 'what is absent')
    for (const hash of [second, hashOf('zeros')])
      await assertFails(() => repo.readTree(hash), 'INTERNAL_ERROR', 10400)
    for (const hash of [commit.treeHash, hashOf('zeros')])
      await assertFails(() => repo.readCommit(hash), 'INTERNAL_ERROR', 10400)
    await assertFails(
      () => repo.readBlob(hashOf('large')),
      'MEMORY_LIMIT',
      10402,
      'The object is too large to read through the binding.',
    )
    const stream = await repo.openBlob(hashOf('large'))
    assertEqual((await new Response(stream).arrayBuffer()).byteLength, 5001, 'the bytes of a stream')
    assertEqual(await repo.openBlob(ABSENT), null, 'the stream of what is absent')
  }),
  bindingCase('hashes are checked before they are looked for', async (binding) => {
    await binding.create('hashes')
    const repo = await binding.get('hashes')
    const reads = [
      (hash: string) => repo.readBlob(hash),
      (hash: string) => repo.readTree(hash),
      (hash: string) => repo.readCommit(hash),
      (hash: string) => repo.openBlob(hash),
    ]
    for (const read of reads) {
      for (const hash of ['', wrong(undefined)])
        await assertFails(() => read(hash), 'INVALID_INPUT', 10100, 'Invalid hash: hash required.')
      for (const hash of ['abc', 'A'.repeat(40), '1'.repeat(41)])
        await assertFails(
          () => read(hash),
          'INVALID_INPUT',
          10100,
          'Invalid hash: expected a 40-character SHA-1 hex hash.',
        )
    }
  }),
  bindingCase('readFile reads by ref and path, with a type that no browser runs', async (binding) => {
    const { repo, first, second } = await fill(binding, 'files')
    const text = async (ref: string, path: string): Promise<string | null> =>
      (await (await repo.readFile({ ref, path }))?.text()) ?? null
    for (const ref of ['main', 'HEAD', 'refs/heads/main', 'heads/main', second])
      assertEqual(await text(ref, 'README.md'), 'hello again\n', ref)
    assertEqual(await text(first, '/./README.md'), 'hello\n', 'by commit')
    assertEqual(await text('main', 'bin//run'), '#!', 'in a directory')
    assertEqual(await text('main', 'link'), 'README.md', 'a symbolic link')
    const types: Record<string, string | undefined> = {}
    for (const path of ['README.md', 'page.html', 'logo.PNG', 'zeros', 'latin'])
      types[path] = (await repo.readFile({ ref: 'main', path }))?.type
    assertEqual(
      types,
      {
        'README.md': 'text/plain;charset=utf-8',
        'page.html': 'text/plain;charset=utf-8',
        'logo.PNG': 'image/png',
        zeros: 'application/octet-stream',
        latin: 'application/octet-stream',
      },
      'types',
    )
    for (const [ref, path] of [
      ['none', 'README.md'],
      ['main~1', 'README.md'],
      [first.slice(0, 12), 'README.md'],
      ['main', 'none'],
      ['main', 'bin'],
      ['main', 'bin/../README.md'],
      ['main', '/'],
      ['main', 'README.md/x'],
    ] as const)
      assertEqual(await repo.readFile({ ref, path }), null, `${ref} ${path}`)
    await assertFails(
      () => repo.readFile({ ref: '', path: 'x' }),
      'INVALID_INPUT',
      10100,
      'Invalid ref: ref required.',
    )
    await assertFails(
      () => repo.readFile({ ref: 'main', path: '' }),
      'INVALID_INPUT',
      10100,
      'Invalid path: path required.',
    )
    await assertFails(() => repo.readFile(wrong(5)), 'INVALID_INPUT', 10100)
    await assertFails(() => repo.readFile({ ref: 'main', path: 'large' }), 'MEMORY_LIMIT', 10402)
  }),
  bindingCase('log lists first parents, and nothing where there is nothing', async (binding) => {
    const { repo, first, second } = await fill(binding, 'history')
    const hashes = async (options?: Parameters<RepositoryBinding['log']>[0]): Promise<string[]> =>
      (await repo.log(options)).map(({ hash }) => hash)
    assertEqual(await hashes(), [second, first], 'without options')
    assertEqual(await hashes({ ref: first }), [first], 'of a commit')
    assertEqual(await hashes({ limit: 1, offset: 1 }), [first], 'with limit and offset')
    assertEqual(await hashes({ limit: 100_000 }), [second, first], 'with a limit that is capped')
    assertEqual(await hashes({ ref: 'none' }), [], 'of an unknown ref')
    assertEqual(await hashes({ offset: 5 }), [], 'behind its end')
    await binding.create('empty')
    assertEqual(await (await binding.get('empty')).log(), [], 'of an empty repository')
    for (const limit of [0, -1, 1.5, wrong('1')])
      await assertFails(
        () => repo.log({ limit }),
        'INVALID_INPUT',
        10100,
        'Invalid limit: must be a positive integer.',
      )
    for (const offset of [-1, 0.5]) await assertFails(() => repo.log({ offset }), 'INVALID_INPUT', 10100)
    await assertFails(() => repo.log({ ref: wrong(5) }), 'INVALID_INPUT', 10100)
  }),
  bindingCase(
    'beyond Artifacts: refs, differences, merge bases, and commits by compare-and-swap',
    async (binding) => {
      const { repo, first, second } = await fill(binding, 'extended')
      assertEqual(
        await repo.listRefs(),
        {
          refs: [
            { name: 'HEAD', hash: second, target: 'refs/heads/main' },
            { name: 'refs/heads/main', hash: second },
          ],
        },
        'refs',
      )
      const diff = await repo.diff({ from: first, to: second })
      assertEqual(
        diff.files.map(({ path, status }) => [path, status]),
        [['README.md', 'modified']],
        'the difference',
      )
      assertEqual(await repo.mergeBases(first, 'main'), [first], 'merge bases')
      await assertFails(() => repo.diff({ from: 'none' }), 'NOT_FOUND', 10200)
      const stale = await repo.commit({
        expectedHead: first,
        changes: [{ path: 'x', content: '' }],
        message: 'x',
        author,
      })
      assertEqual(stale, { kind: 'stale', found: second }, 'a commit that came too late')
      for (const changes of [
        5,
        [5],
        [{ path: 5 }],
        [{ path: 'x' }],
        [{ path: 'x', content: 5 }],
        [{ path: '../x', content: '' }],
      ])
        await assertFails(() => repo.commit(wrong({ changes, message: '', author })), 'INVALID_INPUT', 10100)
      await assertFails(() => repo.commit(wrong(undefined)), 'INVALID_INPUT', 10100)
    },
  ),
]
