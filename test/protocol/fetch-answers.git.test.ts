import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FastImport } from '../support/fast-import.ts'
import { git, gitLines, TEST_TIME, tryGit } from '../support/git.ts'
import { gitAdvertisement, gitFetch, ourAdvertisement, ourFetch, type Version } from './served-repository.ts'
import { compareAnswers } from './fetch-answer.ts'
import { demux, DELIM, FLUSH, packets, wire } from './wire.ts'

/** How many commits the served repository has; the client has some more that it does not share. */
const COMMITS = 40

let base: string
let served: string
/** Commit ids in order of creation; the last ones are unknown to the server. */
let commits: string[]
let tips: string[]

/**
 * A history with merges and two roots for fast-import. All commits have one date: git does not look behind the oldest date
 * of a common commit, so with others it would sometimes be ready later than we are.
 */
function describeHistory(): string {
  const date = `${TEST_TIME} +0000`
  const lines: string[] = []
  for (let at = 1; at <= COMMITS + 10; at++) {
    lines.push(`commit refs/marks/${at}`, `mark :${at}`, `committer C <c@example.com> ${date}`, 'data 0')
    if (at !== 1 && at !== 20) lines.push(`from :${at % 5 === 0 ? at - 3 : at - 1}`)
    if (at % 7 === 0 && at > 8) lines.push(`merge :${at - 6}`)
    lines.push(`M 100644 inline f${at % 4}`, `data ${String(at).length}`, `${at}`)
  }
  for (const at of [10, 25, 33, COMMITS]) lines.push(`reset refs/heads/b${at}`, `from :${at}`, '')
  for (const [name, at] of [
    ['v1', 12],
    ['v2', 39],
  ] as const) {
    lines.push(`tag ${name}`, `from :${at}`, `tagger C <c@example.com> ${date}`, 'data 0')
  }
  return `${lines.join('\n')}\n`
}

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'packstone-fetch-'))
  served = join(base, 'served.git')
  const client = join(base, 'client.git')
  await git(['init', '-q', '--bare', client])
  await tryGit(['fast-import', '--quiet', '--date-format=raw'], { cwd: client, input: describeHistory() })
  commits = await Promise.all(
    Array.from({ length: COMMITS + 10 }, (_, at) =>
      git(['rev-parse', `refs/marks/${at + 1}`], { cwd: client }),
    ),
  )
  await git(['init', '-q', '--bare', served])
  await git(['push', '-q', served, 'refs/heads/*:refs/heads/*', 'refs/tags/*:refs/tags/*'], { cwd: client })
  await git(['symbolic-ref', 'HEAD', 'refs/heads/b40'], { cwd: served })
  tips = await gitLines(['for-each-ref', '--format=%(objectname)', 'refs/heads'], { cwd: served })
})
afterAll(() => rm(base, { recursive: true, force: true }))

const compare = (version: Version, request: Uint8Array, path = served): Promise<void> =>
  compareAnswers(path, version, request)

async function compareLists(path: string, request: Uint8Array): Promise<void> {
  const theirs = (await gitFetch(path, 2, request)) ?? new Uint8Array(0)
  expect(await packets(await ourFetch(path, 2, request))).toEqual(await packets(theirs))
}

describe('a fetch is answered as by git', () => {
  it('when history is asked for from a date on', async () => {
    const path = join(base, 'dated.git')
    await git(['init', '-q', '--bare', path])
    const history = new FastImport()
    for (let at = 1; at <= 20; at++) {
      const parents = at === 1 ? [] : at % 5 === 0 ? [at - 1, at - 4] : [at - 1]
      history.commit({ ref: 'refs/heads/main', parents })
    }
    await history.run(path)
    const tip = await git(['rev-parse', 'refs/heads/main'], { cwd: path })
    for (const minute of [1, 4, 9, 13, 20, 21]) {
      const since = `deepen-since ${TEST_TIME + 60 * minute}`
      await compare(2, wire('command=fetch', DELIM, `want ${tip}`, since, 'done', FLUSH), path)
      await compare(0, wire(`want ${tip} multi_ack`, since, FLUSH, 'done'), path)
    }
  })

  it('when the repository itself is shallow', async () => {
    const path = join(base, 'shallow.git')
    await git(['clone', '-q', '--bare', '--depth', '6', '--branch', 'b40', `file://${served}`, path])
    const tip = await git(['rev-parse', 'HEAD'], { cwd: path })
    const lines = (await packets(await ourAdvertisement(path, 'git-upload-pack', 0))).filter((line) =>
      line.startsWith('shallow '),
    )
    expect(lines.length).toBeGreaterThan(0)
    const theirs = await packets(await gitAdvertisement(path, 'git-upload-pack', 0))
    expect(lines.sort()).toEqual(theirs.filter((line) => line.startsWith('shallow ')).sort())
    for (const depth of [
      [],
      ['deepen 2'],
      ['deepen 2147483647'],
      [`shallow ${tip}`, 'deepen 3'],
      [`shallow ${tip}`],
    ]) {
      await compare(2, wire('command=fetch', DELIM, `want ${tip}`, ...depth, 'done', FLUSH), path)
      await compare(0, wire(`want ${tip} multi_ack side-band-64k`, ...depth, FLUSH, 'done'), path)
    }
  })

  it('when a v0 request only asks for the boundary', async () => {
    await compare(0, wire(`want ${tips[3] ?? ''} side-band-64k\n`, 'deepen 2', FLUSH))
  })

  it('when nothing is wanted', async () => {
    await compare(0, wire(FLUSH))
    await compare(2, wire(FLUSH))
    await compare(2, wire('command=fetch', DELIM, 'thin-pack', FLUSH))
  })
})

it.each([0, 2] as const)('an empty request is refused in v%d', async (version) => {
  await expect(ourFetch(served, version, new Uint8Array(0))).rejects.toMatchObject({ code: 'PROTOCOL' })
})

describe('progress', () => {
  const whole = (...words: string[]): Uint8Array =>
    wire('command=fetch', DELIM, ...words, ...tips.map((id) => `want ${id}`), 'done', FLUSH)
  const progressOf = async (answer: Uint8Array): Promise<string> =>
    (await demux(answer.slice(wire('packfile\n').length))).progress

  it('is told on band 2 in git’s words', async () => {
    const lines = (text: string): string[] =>
      text.split(/[\r\n]/).filter((line) => /^(Enumerating|Counting).*done|^Total/.test(line))
    const theirs = lines(await progressOf((await gitFetch(served, 2, whole())) ?? new Uint8Array(0)))
    const ours = lines(await progressOf(await ourFetch(served, 2, whole())))
    expect(ours.slice(0, 2)).toEqual(theirs.slice(0, 2))
    expect(ours[2]).toMatch(/^Total \d+ \(delta \d+\), reused \d+ \(delta \d+\), pack-reused 0$/)
    expect(ours[2]?.split(' ')[1]).toBe(theirs[2]?.split(' ')[1])
  })

  it('is not told to who does not want it', async () => {
    expect(await progressOf(await ourFetch(served, 2, whole('no-progress')))).toBe('')
  })
})

describe('refs are listed as by git', () => {
  const ARGUMENTS = [
    [],
    ['peel'],
    ['symrefs'],
    ['peel', 'symrefs', 'unborn'],
    ['peel', 'ref-prefix refs/tags/'],
    ['symrefs', 'ref-prefix HEAD', 'ref-prefix refs/heads/b4'],
    ['ref-prefix H'],
    ['ref-prefix nothing'],
  ]
  it.each(ARGUMENTS.map((list) => [list]))('with %j', async (list) => {
    const request = wire(
      'command=ls-refs\n',
      'object-format=sha1',
      DELIM,
      ...list.map((line) => `${line}\n`),
      FLUSH,
    )
    await compareLists(served, request)
  })

  it('with a flush where arguments could be', async () => {
    const request = wire('command=ls-refs\n', FLUSH)
    await compareLists(served, request)
  })

  it('with more prefixes than are looked at', async () => {
    const prefixes = Array.from({ length: 65_540 }, (_, at) => `ref-prefix refs/none/${at}`)
    const request = wire('command=ls-refs', DELIM, ...prefixes, FLUSH)
    await compareLists(served, request)
  })

  it('in a repository whose HEAD is unborn', async () => {
    const path = join(base, 'empty.git')
    await git(['init', '-q', '--bare', path])
    for (const list of [
      ['symrefs', 'unborn'],
      ['unborn'],
      ['symrefs'],
      ['symrefs', 'unborn', 'ref-prefix refs/'],
    ]) {
      const request = wire('command=ls-refs', DELIM, ...list, FLUSH)
      await compareLists(path, request)
    }
  })
})

describe('what cannot be answered is refused in git’s words', () => {
  const unknown = 'ab'.repeat(20)
  const cases: readonly [string, Version, () => Uint8Array, string][] = [
    [
      'an unknown want',
      0,
      () => wire(`want ${unknown} side-band-64k`, FLUSH, 'done'),
      `ERR upload-pack: not our ref ${unknown}`,
    ],
    [
      'an unknown want',
      2,
      () => wire('command=fetch', DELIM, `want ${unknown}`, 'done', FLUSH),
      `ERR upload-pack: not our ref ${unknown}`,
    ],
    [
      'a want that no ref reaches',
      0,
      () => wire(`want ${commits[45] ?? ''}`, FLUSH, 'done'),
      'ERR upload-pack: not our ref ',
    ],
    ['an unknown command', 2, () => wire('command=burn', FLUSH), "ERR invalid command 'burn'"],
    ['a command that is a capability', 2, () => wire('command=agent', FLUSH), "ERR invalid command 'agent'"],
    ['no command', 2, () => wire('agent=x', FLUSH), 'ERR no command requested'],
    [
      'two commands',
      2,
      () => wire('command=fetch', 'command=ls-refs', FLUSH),
      "ERR command 'ls-refs' requested after already requesting command 'fetch'",
    ],
    [
      'an unknown capability',
      2,
      () => wire('command=fetch', 'filter', FLUSH),
      "ERR unknown capability 'filter'",
    ],
    [
      'an unknown argument',
      2,
      () => wire('command=fetch', DELIM, 'filter blob:none', FLUSH),
      "ERR unexpected line: 'filter blob:none'",
    ],
    [
      'an unknown argument',
      2,
      () => wire('command=ls-refs', DELIM, 'ref-prefix', FLUSH),
      "ERR unexpected line: 'ref-prefix'",
    ],
    [
      'another object format',
      2,
      () => wire('command=fetch', 'object-format=sha256', FLUSH),
      'ERR mismatched object format: server sha1; client sha256',
    ],
    [
      'arguments without end',
      2,
      () => wire('command=fetch', DELIM, 'done'),
      'ERR expected flush after fetch arguments',
    ],
    [
      'a malformed want',
      2,
      () => wire('command=fetch', DELIM, 'want me', FLUSH),
      "ERR git upload-pack: protocol error, expected to get oid, not 'want me'",
    ],
    [
      'a malformed want',
      0,
      () => wire('want me', FLUSH),
      "ERR git upload-pack: protocol error, expected to get object ID, not 'want me'",
    ],
    [
      'a malformed have',
      0,
      () => wire(`want ${tips[0] ?? ''}`, FLUSH, 'have me', FLUSH),
      "ERR git upload-pack: expected SHA1 object, got 'me'",
    ],
    [
      'another line',
      0,
      () => wire(`want ${tips[0] ?? ''}`, FLUSH, 'hello', FLUSH),
      "ERR git upload-pack: expected SHA1 list, got 'hello'",
    ],
    [
      'a depth of nothing',
      0,
      () => wire(`want ${tips[0] ?? ''}`, 'deepen 0', FLUSH, 'done'),
      'ERR Invalid deepen: deepen 0',
    ],
    [
      'two kinds of depth',
      2,
      () => wire('command=fetch', DELIM, `want ${tips[0] ?? ''}`, 'deepen 1', 'deepen-since 5', FLUSH),
      'ERR git upload-pack: deepen and deepen-since (or deepen-not) cannot be used together',
    ],
    [
      'an unknown deepen-not',
      2,
      () => wire('command=fetch', DELIM, `want ${tips[0] ?? ''}`, 'deepen-not nowhere', FLUSH),
      'ERR git upload-pack: ambiguous deepen-not: deepen-not nowhere',
    ],
    [
      'a date after everything',
      2,
      () => wire('command=fetch', DELIM, `want ${tips[0] ?? ''}`, 'deepen-since 4000000000', FLUSH),
      'ERR no commits selected for shallow requests',
    ],
  ]
  it.each(cases)('%s in v%d', async (_, version, request, message) => {
    const [answer = ''] = await packets(await ourFetch(served, version, request())).catch(
      (error: unknown) => [
        `ERR ${error instanceof Error ? error.message.replace('remote error: ', '') : ''}`,
      ],
    )
    expect(answer.startsWith(message)).toBe(true)
  })

  it('whatever is no packet is no request', async () => {
    const junk = new TextEncoder().encode('hello, is this git?')
    await expect(ourFetch(served, 2, junk)).rejects.toThrow('bad line length character: hell')
    await expect(ourFetch(served, 0, junk)).rejects.toThrow('bad line length character: hell')
  })
})
