import { FastImport, type FileChange } from '../fast-import.ts'
import { git, TEST_TIME } from '../git.ts'
import { randomLine } from '../random.ts'
import type { HistoryContext } from './shape.ts'

const GITLINK = '1234567890123456789012345678901234567890'

/** Names and modes: Unicode, bytes that are no UTF-8, quotes, line breaks; symbolic links, executables, submodule entries. */
export async function oddNames({ repository, random }: HistoryContext): Promise<void> {
  const stream = new FastImport()
  const text = (): string => `${randomLine(random)}\n`
  const write = (path: string | Uint8Array): FileChange => ({ kind: 'write', path, content: text() })
  const changes: FileChange[] = [
    write('grüße/naïve.txt'),
    write('日本語/ファイル'),
    write('emoji-🗿'),
    write(Uint8Array.of(0x6c, 0x61, 0x74, 0x69, 0x6e, 0x31, 0x2d, 0xe9)),
    write(Uint8Array.of(0xff, 0xfe, 0x80, 0x2f, 0xc3, 0x28)),
    write('with space/and "quotes"/back\\slash'),
    write('line\nbreak'),
    write('-dash'),
    write('tab\there'),
    write(`${'long-'.repeat(49)}name`),
    // Entries that sort differently as files and as directories.
    write('sort'),
    write('sort-a'),
    write('sort.d/x'),
    write('sort0/x'),
    write('sorta/x'),
    { kind: 'write', path: 'run.sh', content: '#!/bin/sh\n', mode: '100755' },
    { kind: 'write', path: 'link', content: 'run.sh', mode: '120000' },
    { kind: 'write', path: 'dangling', content: '../no/where', mode: '120000' },
    {
      kind: 'write',
      path: '.gitmodules',
      content: '[submodule "sub"]\n\tpath = sub\n\turl = https://example.com/sub.git\n',
    },
    { kind: 'gitlink', path: 'sub', id: GITLINK },
  ]
  stream.commit({ ref: 'refs/heads/main', changes })
  stream.commit({
    ref: 'refs/heads/main',
    changes: [
      { kind: 'write', path: 'run.sh', content: '#!/bin/sh\n', mode: '100644' },
      { kind: 'write', path: 'link', content: 'now a file', mode: '100644' },
      { kind: 'gitlink', path: 'sub', id: GITLINK.replaceAll('1', 'f') },
      { kind: 'gitlink', path: 'vendor/other', id: GITLINK },
    ],
  })
  await stream.run(repository)
}

/** Refs of every kind: light, annotated and nested tags, tags of trees and blobs, notes, custom refs, a symbolic ref. */
export async function oddRefs({ repository, random }: HistoryContext): Promise<void> {
  const stream = new FastImport()
  const marks: number[] = []
  for (let at = 0; at < 12; at++) {
    const changes: FileChange[] = [{ kind: 'write', path: `d${at % 3}/f`, content: randomLine(random) }]
    marks.push(stream.commit({ ref: 'refs/heads/main', changes }))
  }
  const [first = 1, second = 2] = marks
  stream.ref('refs/heads/feature/a/b', first)
  stream.ref('refs/heads/üñí', second)
  stream.ref('refs/tags/light', first)
  stream.ref('refs/pull/1/head', second)
  stream.ref('refs/changes/34/1234/5', second)
  stream.tag('annotated', second, 'An annotated tag\n\nwith a body\n')
  marks.forEach((mark) => {
    stream.commit({
      ref: 'refs/notes/commits',
      changes: [{ kind: 'note', commit: mark, content: `about ${mark}\n` }],
    })
  })
  await stream.run(repository)

  const run = (...args: string[]): Promise<string> => git(args, { cwd: repository })
  await run('tag', '-a', '-m', 'a tag of a tag', 'nested', 'annotated')
  await run('tag', '-a', '-m', 'once more', 'nested-twice', 'nested')
  await run('tag', '-a', '-m', 'of a tree', 'of-tree', 'main^{tree}')
  await run('tag', '-a', '-m', 'of a blob', 'of-blob', 'main:d0/f')
  await run('tag', 'light-tree', 'main~3^{tree}')
  await run('tag', 'light-blob', 'main~5:d1/f')
  // Reachable through this tag and through nothing else.
  const only = await run('commit-tree', '-m', 'only tagged', '-p', 'main~2', 'main^{tree}')
  await run('tag', '-a', '-m', 'aside', 'aside', only)
  await run('symbolic-ref', 'refs/heads/alias', 'refs/heads/main')
  await run('pack-refs', '--all')
  await run('update-ref', 'refs/heads/loose-after-pack', 'main~1')
}

/** Objects that no porcelain writes but git's strict check accepts: empty trees, extra headers, odd dates and messages. */
export async function oddObjects({ repository }: HistoryContext): Promise<void> {
  const write = (type: string, body: string | Uint8Array): Promise<string> =>
    git(['hash-object', '-t', type, '-w', '--stdin'], { cwd: repository, input: body })
  const mktree = (lines: string): Promise<string> =>
    git(['mktree', '--missing'], { cwd: repository, input: lines })

  const empty = await mktree('')
  const blob = await write('blob', 'content\n')
  const emptyBlob = await write('blob', '')
  const tree = await mktree(
    `040000 tree ${empty}\tempty\n100644 blob ${blob}\tfile\n100644 blob ${emptyBlob}\tnothing\n160000 commit ${GITLINK}\tsub\n`,
  )
  const person = (time: string): string => `C O Mitter <committer@example.com> ${time}`
  const commit = async (headers: string, message: string | Uint8Array, onTree = tree): Promise<string> =>
    write('commit', Buffer.concat([Buffer.from(`tree ${onTree}\n${headers}\n`), Buffer.from(message)]))
  const dated = (author: string, committer = author): string =>
    `author ${person(author)}\ncommitter ${person(committer)}\n`
  const now = `${TEST_TIME} +0000`

  const signature =
    '-----BEGIN PGP SIGNATURE-----\n \n iQEzBAABCAAdFiEE\n =abcd\n -----END PGP SIGNATURE-----'
  const ids = [
    await commit(dated(now), 'on the empty tree\n', empty),
    await commit(dated(now), ''),
    await commit(dated(now), 'no line break at the end'),
    await commit(dated(now), '\n\n  leading blank lines\n\n\n'),
    await commit(dated('0 +0000', '1 -1200'), 'at the epoch\n'),
    await commit(dated('2147483648 +1400', '4294967296 +0545'), 'after 2038\n'),
    await commit(`${dated(now)}encoding ISO-8859-1\n`, Uint8Array.of(0x63, 0x61, 0x66, 0xe9, 0x0a)),
    await commit(`${dated(now)}gpgsig ${signature}\n`, 'signed\n'),
    await commit(
      `${dated(now)}HG:extra branch:default\nx-empty \nx-folded one\n two\n three\n`,
      'extra headers\n',
    ),
    await commit(`author  <author@example.com> ${now}\ncommitter  <> ${now}\n`, 'nameless\n'),
  ]
  const [first = '', second = ''] = ids
  const tagBody = (object: string, type: string, name: string, rest: string): string =>
    `object ${object}\ntype ${type}\ntag ${name}\ntagger ${person(now)}\n${rest}`
  const merged = tagBody(second, 'commit', 'side', '\nmerged tag\n')
  const mergetag = `mergetag ${merged.trimEnd().replaceAll('\n', '\n ')}\n`
  ids.push(await commit(`parent ${first}\nparent ${second}\n${dated(now)}${mergetag}`, 'merge of a tag\n'))

  const tags = [
    await write('tag', merged),
    await write('tag', tagBody(first, 'commit', 'bare-message', '\n')),
    await write(
      'tag',
      tagBody(blob, 'blob', 'signed-blob', `\nmessage\n${signature.replaceAll('\n ', '\n')}\n`),
    ),
    await write('tag', tagBody(empty, 'tree', 'empty-tree', '\nno line break at the end')),
  ]
  const lines = [
    ...ids.map((id, at) => `create refs/heads/${at === 0 ? 'main' : `odd-${at}`} ${id}`),
    ...tags.map((id, at) => `create refs/tags/odd-${at} ${id}`),
    `create refs/trees/empty ${empty}`,
    `create refs/blobs/empty ${emptyBlob}`,
  ]
  await git(['update-ref', '--stdin'], { cwd: repository, input: `${lines.join('\n')}\n` })
}
