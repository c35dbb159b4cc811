import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/bytes/concat.ts'
import { git, gitBytes, gitLines } from '../support/git.ts'
import { gitPush, ourPush, temporaryDirectory } from './served-repository.ts'
import { demux, FLUSH, packets, wire } from './wire.ts'

const ZERO = '0'.repeat(40)
const CAPABILITIES = 'report-status side-band-64k quiet object-format=sha1 agent=git/test'

let base: string
/** The state of the served repository before each push: both servers get a copy. */
let template: string
/** The client's repository. */
let client: string
/** Objects by name: commits one → two → three and the fork `other` of one; a tree, a blob, an annotated tag. */
let id: Record<'one' | 'two' | 'three' | 'other' | 'tree' | 'blob' | 'tag' | 'gap' | 'afterGap', string>

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'packstone-push-'))
  client = join(base, 'client')
  template = join(base, 'template.git')
  await git(['init', '-q', client])
  const cwd = client
  const commit = async (message: string): Promise<string> => {
    await git(['commit', '-q', '--allow-empty', '-m', message], { cwd })
    return git(['rev-parse', 'HEAD'], { cwd })
  }
  const blob = await git(['hash-object', '-w', '--stdin'], { cwd, input: 'content\n' })
  await git(['update-index', '--add', '--cacheinfo', `100644,${blob},file`], { cwd })
  const one = await commit('one')
  const two = await commit('two')
  const gap = await commit('gap')
  const afterGap = await commit('after the gap')
  await git(['reset', '-q', '--soft', two], { cwd })
  const three = await commit('three')
  await git(['tag', '-a', '-m', 'tag', 'annotated', three], { cwd })
  await git(['checkout', '-q', '-b', 'other', one], { cwd })
  const other = await commit('other')
  id = {
    one,
    two,
    three,
    other,
    gap,
    afterGap,
    blob,
    tree: await git(['rev-parse', `${one}^{tree}`], { cwd }),
    tag: await git(['rev-parse', 'annotated'], { cwd }),
  }
  await git(['init', '-q', '--bare', template])
  await git(
    ['push', '-q', template, `${two}:refs/heads/main`, `${one}:refs/heads/old`, `${one}:refs/heads/dir/leaf`],
    { cwd },
  )
  await git(['symbolic-ref', 'refs/heads/alias', 'refs/heads/old'], { cwd: template })
  await git(['config', 'receive.unpackLimit', '1'], { cwd: template })
})
afterAll(() => rm(base, { recursive: true, force: true }))

type Name = keyof typeof id | 'zero'
type Command = readonly [from: Name, to: Name, ref: string]

const oid = (name: Name): string => (name === 'zero' ? ZERO : id[name])

/** A pack of the objects of the first list that the second does not reach. */
async function packOf(wanted: readonly Name[], without: readonly Name[] = []): Promise<Uint8Array> {
  const input = [...wanted.map(oid), ...without.map((name) => `^${oid(name)}`), ''].join('\n')
  return gitBytes(['pack-objects', '--revs', '--stdout', '-q', '--thin'], { cwd: client, input })
}

function pushRequest(commands: readonly Command[], capabilities: string, pack?: Uint8Array): Uint8Array {
  const lines = commands.map(([from, to, ref], at) => {
    const line = `${oid(from)} ${oid(to)} ${ref}`
    return at === 0 ? `${line}\0 ${capabilities}` : line
  })
  return concatBytes([wire(...lines, FLUSH), pack ?? new Uint8Array(0)])
}

interface Outcome {
  readonly report: readonly string[]
  readonly said: readonly string[]
  readonly refs: readonly string[]
  /** The served repository's list of shallow commits. */
  readonly shallow: string
  readonly ended: boolean
}

/** What both servers answered and what they made of their repositories. */
async function pushToBoth(
  request: Uint8Array,
  config: readonly (readonly [string, string])[] = [],
): Promise<{ readonly ours: Outcome; readonly theirs: Outcome }> {
  const [ours, theirs] = await Promise.all(
    [ourPush, gitPush].map(async (push): Promise<Outcome> => {
      const path = join(await temporaryDirectory(), 'served.git')
      await cp(template, path, { recursive: true })
      for (const [key, value] of config) await git(['config', '--add', key, value], { cwd: path })
      const bands = await demux(await push(path, request))
      const refs = await gitLines(['for-each-ref', '--format=%(refname) %(objectname) %(symref)'], {
        cwd: path,
      })
      const left = (await readdir(join(path, 'objects'))).filter((name) => /^(tmp|incoming)/.test(name))
      expect(left).toEqual([])
      await git(['rev-list', '--quiet', '--objects', '--all'], { cwd: path })
      return {
        report: await packets(bands.data),
        said: importantLines(bands.progress),
        refs,
        shallow: await readFile(join(path, 'shallow'), 'utf8').catch(() => ''),
        ended: bands.ended,
      }
    }),
  )
  if (ours === undefined || theirs === undefined) throw new Error('no outcome')
  return { ours, theirs }
}

/** What is said about refs, without hints and without what programs of git say about themselves. */
function importantLines(progress: string): string[] {
  return progress
    .split('\n')
    .filter((line) => /^(error|warning): /.test(line))
    .filter((line) => !/By default|Could not read|unpack should/.test(line))
}

const SAME: readonly [string, readonly Command[], readonly [string, string][]][] = [
  ['a new branch', [['zero', 'three', 'refs/heads/new']], []],
  ['a new branch in a directory', [['zero', 'three', 'refs/heads/deep/er/new']], []],
  ['a fast-forward', [['two', 'three', 'refs/heads/main']], []],
  ['a forced update', [['two', 'other', 'refs/heads/main']], []],
  ['a tag', [['zero', 'tag', 'refs/tags/annotated']], []],
  ['a tree under refs/tags', [['zero', 'tree', 'refs/tags/tree']], []],
  [
    'notes and other namespaces',
    [
      ['zero', 'three', 'refs/notes/commits'],
      ['zero', 'three', 'refs/changes/01/1'],
    ],
    [],
  ],
  [
    'several at once',
    [
      ['two', 'three', 'refs/heads/main'],
      ['one', 'zero', 'refs/heads/old'],
      ['zero', 'other', 'refs/heads/x'],
    ],
    [],
  ],
  [
    'a stale old value',
    [
      ['one', 'three', 'refs/heads/main'],
      ['zero', 'three', 'refs/heads/fine'],
    ],
    [],
  ],
  ['an old value for a ref that is not there', [['one', 'three', 'refs/heads/none']], []],
  ['a ref that is there already', [['zero', 'three', 'refs/heads/main']], []],
  ['a ref in the way of a directory', [['zero', 'three', 'refs/heads/main/sub']], []],
  ['a directory in the way of a ref', [['zero', 'three', 'refs/heads/dir']], []],
  [
    'a bad name',
    [
      ['zero', 'three', 'refs/heads/a..b'],
      ['zero', 'three', 'refs/heads/ok'],
    ],
    [],
  ],
  ['a name of one level', [['zero', 'three', 'refs/stash']], []],
  ['a locked name', [['zero', 'three', 'refs/heads/a.lock']], []],
  ['HEAD', [['zero', 'three', 'HEAD']], []],
  ['a name outside refs', [['zero', 'three', 'config']], []],
  ['a tag object as a branch', [['zero', 'tag', 'refs/heads/tag']], []],
  ['a blob as a branch', [['zero', 'blob', 'refs/heads/blob']], []],
  ['a symbolic ref', [['one', 'three', 'refs/heads/alias']], []],
  [
    'a symbolic ref and its target alike',
    [
      ['one', 'three', 'refs/heads/alias'],
      ['one', 'three', 'refs/heads/old'],
    ],
    [],
  ],
  [
    'a non-fast-forward that is denied',
    [
      ['two', 'other', 'refs/heads/main'],
      ['one', 'three', 'refs/heads/old'],
    ],
    [['receive.denyNonFastForwards', 'true']],
  ],
  [
    'a hidden ref',
    [
      ['zero', 'three', 'refs/heads/secret/a'],
      ['zero', 'three', 'refs/heads/open'],
    ],
    [['receive.hideRefs', 'refs/heads/secret']],
  ],
  [
    'nothing but a hidden ref',
    [['zero', 'three', 'refs/heads/secret/a']],
    [['transfer.hideRefs', 'refs/heads/secret']],
  ],
]

describe('a push is answered as by git', () => {
  it.each(SAME)('with %s', async (_, commands, config) => {
    const pack = await packOf(['three', 'other', 'tag'], ['one'])
    const { ours, theirs } = await pushToBoth(pushRequest(commands, CAPABILITIES, pack), config)
    expect(ours).toEqual(theirs)
  })

  // Where a ref is hidden git applies the rest of an atomic push; here all means all.
  it.each(SAME.filter(([name, commands]) => commands.length > 1 && name !== 'a hidden ref'))(
    'atomically with %s',
    async (_, commands, config) => {
      const pack = await packOf(['three', 'other', 'tag'], ['one'])
      const request = pushRequest(commands, `${CAPABILITIES} atomic`, pack)
      const { ours, theirs } = await pushToBoth(request, config)
      expect(ours).toEqual(theirs)
    },
  )

  it('atomically with a hidden ref: nothing is changed', async () => {
    const commands: Command[] = [
      ['zero', 'three', 'refs/heads/secret/a'],
      ['zero', 'three', 'refs/heads/open'],
    ]
    const request = pushRequest(commands, `${CAPABILITIES} atomic`, await packOf(['three'], ['two']))
    const { ours } = await pushToBoth(request, [['receive.hideRefs', 'refs/heads/secret']])
    expect(ours.report).toEqual([
      'unpack ok',
      'ng refs/heads/secret/a deny updating a hidden ref',
      'ng refs/heads/open atomic push failure',
      '<flush>',
    ])
    expect(ours.refs.join()).not.toContain('refs/heads/open')
  })

  const DELETIONS: readonly [string, readonly Command[], readonly [string, string][]][] = [
    ['a branch', [['one', 'zero', 'refs/heads/old']], []],
    [
      'two branches',
      [
        ['one', 'zero', 'refs/heads/old'],
        ['one', 'zero', 'refs/heads/dir/leaf'],
      ],
      [],
    ],
    ['the current branch', [['two', 'zero', 'refs/heads/main']], []],
    [
      'the current branch where that is allowed',
      [['two', 'zero', 'refs/heads/main']],
      [['receive.denyDeleteCurrent', 'ignore']],
    ],
    [
      'the current branch with a warning',
      [['two', 'zero', 'refs/heads/main']],
      [['receive.denyDeleteCurrent', 'warn']],
    ],
    ['a branch where that is denied', [['one', 'zero', 'refs/heads/old']], [['receive.denyDeletes', 'true']]],
    ['a branch with a stale value', [['two', 'zero', 'refs/heads/old']], []],
    ['what is not there', [['zero', 'zero', 'refs/heads/none']], []],
    ['what is not there any more', [['three', 'zero', 'refs/heads/none']], []],
    ['a hidden ref', [['one', 'zero', 'refs/heads/old']], [['receive.hideRefs', 'refs/heads/old']]],
    ['through a symbolic ref', [['one', 'zero', 'refs/heads/alias']], []],
  ]
  it.each(DELETIONS)('deleting %s', async (_, commands, config) => {
    const { ours, theirs } = await pushToBoth(pushRequest(commands, `${CAPABILITIES} delete-refs`), config)
    expect(ours).toEqual(theirs)
  })

  it('with an empty pack, when the objects are there', async () => {
    const request = pushRequest([['zero', 'one', 'refs/heads/new']], CAPABILITIES, await packOf([]))
    const { ours, theirs } = await pushToBoth(request)
    expect(ours).toEqual(theirs)
    expect(ours.report).toEqual(['unpack ok', 'ok refs/heads/new', '<flush>'])
  })

  it('when objects are missing, ref by ref', async () => {
    const commands: Command[] = [
      ['zero', 'afterGap', 'refs/heads/gap'],
      ['zero', 'other', 'refs/heads/fine'],
    ]
    const pack = await packOf(['afterGap', 'other'], ['gap', 'one'])
    const { ours, theirs } = await pushToBoth(pushRequest(commands, CAPABILITIES, pack))
    expect(ours.report).toEqual(theirs.report)
    expect(ours.refs).toEqual(theirs.refs)
    expect(ours.report).toContain('ng refs/heads/gap missing necessary objects')
  })

  it('when a client’s history ends within what it pushes', async () => {
    const line = `${ZERO} ${id.afterGap} refs/heads/shallow\0 ${CAPABILITIES}`
    const request = concatBytes([
      wire(`shallow ${id.afterGap}`, line, FLUSH),
      await packOf(['afterGap'], ['gap']),
    ])
    const { ours, theirs } = await pushToBoth(request)
    expect(ours.report).toEqual(theirs.report)
    expect(ours.report).toContain('ng refs/heads/shallow shallow update not allowed')
  })

  it.each([
    ['a new branch', [['zero', 'afterGap', 'refs/heads/shallow']]],
    ['a forced update', [['two', 'afterGap', 'refs/heads/main']]],
  ] satisfies [string, Command[]][])(
    'when the history may end where a client’s ends: %s',
    async (_, commands) => {
      // The server's own list of shallow commits is part of what both must agree on.
      const request = concatBytes([
        wire(`shallow ${id.afterGap}`, `shallow ${id.three}`),
        pushRequest(commands, CAPABILITIES),
        await packOf(['afterGap', 'other'], ['gap', 'one']),
      ])
      const { ours, theirs } = await pushToBoth(request, [['receive.shallowUpdate', 'true']])
      expect(ours).toEqual(theirs)
      expect(ours.report).toContain(`ok ${commands[0]?.[2] ?? ''}`)
      expect(ours.shallow).toBe(`${id.afterGap}\n`)
    },
  )

  it('when a shallow client pushes what the server can complete', async () => {
    const line = `${id.two} ${id.three} refs/heads/main\0 ${CAPABILITIES}`
    const request = concatBytes([wire(`shallow ${id.two}`, line, FLUSH), await packOf(['three'], ['two'])])
    const { ours, theirs } = await pushToBoth(request)
    expect(ours).toEqual(theirs)
    expect(ours.report).toContain('ok refs/heads/main')
  })

  it.each([
    ['in version 2 of the report', 'report-status-v2', []],
    ['in version 2 of the report, asked for beside version 1', 'report-status report-status-v2', []],
    ['with push options', 'report-status push-options', [['receive.advertisePushOptions', 'true']]],
    [
      'where refs belong to a proc-receive hook that is not there',
      'report-status-v2',
      [['receive.procReceiveRefs', 'refs/heads/for']],
    ],
  ] satisfies [string, string, [string, string][]][])('%s', async (_, report, config) => {
    const commands: Command[] = [
      ['two', 'three', 'refs/heads/main'],
      ['two', 'three', 'refs/heads/old'],
      ['zero', 'three', 'refs/heads/for/me'],
    ]
    const capabilities = CAPABILITIES.replace('report-status', report)
    const request = concatBytes([
      pushRequest(commands, capabilities),
      report.includes('push-options') ? wire('one', 'two=2\n', '', FLUSH) : new Uint8Array(0),
      await packOf(['three'], ['two']),
    ])
    const { ours, theirs } = await pushToBoth(request, config)
    expect(ours).toEqual(theirs)
    expect(ours.report).toContain('ok refs/heads/main')
  })

  it('with push options and nothing but a deletion', async () => {
    const request = concatBytes([
      pushRequest([['one', 'zero', 'refs/heads/old']], `${CAPABILITIES} push-options`),
      wire('why', FLUSH),
    ])
    const { ours, theirs } = await pushToBoth(request, [['receive.advertisePushOptions', 'true']])
    expect(ours).toEqual(theirs)
  })

  it('in a repository that checks objects', async () => {
    const { ours, theirs } = await pushToBoth(
      pushRequest([['two', 'three', 'refs/heads/main']], CAPABILITIES, await packOf(['three'], ['two'])),
      [['receive.fsckObjects', 'true']],
    )
    expect(ours).toEqual(theirs)
  })
})

describe('a pack that is refused', () => {
  const broken: readonly [string, (pack: Uint8Array) => Uint8Array, RegExp][] = [
    ['cut short', (pack) => pack.subarray(0, pack.length - 30), /^unpack index-pack abnormal exit$/],
    [
      'with a wrong checksum',
      (pack) => pack.with(-1, (pack.at(-1) ?? 0) ^ 1),
      /^unpack index-pack abnormal exit$/,
    ],
    [
      'with a flipped bit',
      (pack) => pack.with(20, (pack[20] ?? 0) ^ 64),
      /^unpack index-pack abnormal exit$/,
    ],
    ['with a wrong count', (pack) => pack.with(11, 99), /^unpack index-pack abnormal exit$/],
    ['of another version', (pack) => pack.with(7, 9), /^unpack protocol error \(pack version unsupported\)$/],
    [
      'that is no pack',
      (pack) => pack.with(0, 0),
      /^unpack protocol error \(pack signature mismatch detected\)$/,
    ],
    ['that is not there', () => new Uint8Array(0), /^unpack eof before pack header was fully read$/],
    [
      'that ends in its header',
      (pack) => pack.subarray(0, 8),
      /^unpack eof before pack header was fully read$/,
    ],
  ]
  it.each(broken)('%s: as by git, and nothing is kept', async (_, harm, status) => {
    const commands: Command[] = [
      ['two', 'three', 'refs/heads/main'],
      ['zero', 'other', 'refs/heads/new'],
    ]
    const request = pushRequest(commands, CAPABILITIES, harm(await packOf(['three', 'other'], ['one'])))
    const { ours, theirs } = await pushToBoth(request)
    expect(ours.report).toEqual(theirs.report)
    expect(ours.refs).toEqual(theirs.refs)
    expect(ours.report[0]).toMatch(status)
    expect(ours.report[1]).toBe('ng refs/heads/main unpacker error')
    expect(ours.ended).toBe(true)
  })

  it('is too large for receive.maxInputSize: says so', async () => {
    const request = pushRequest(
      [['two', 'three', 'refs/heads/main']],
      CAPABILITIES,
      await packOf(['three'], ['two']),
    )
    const { ours, theirs } = await pushToBoth(request, [['receive.maxInputSize', '50']])
    expect(ours.report).toEqual(theirs.report)
  })

  it('has its reason in the report where there is no side-band', async () => {
    const pack = await packOf(['three'], ['two'])
    const request = pushRequest([['two', 'three', 'refs/heads/main']], 'report-status', pack.with(-1, 0))
    const [path, answer] = await pushOurs(request)
    expect((await packets(answer))[0]).toMatch(/^unpack .*(checksum|SHA-?1)/i)
    expect(await git(['rev-parse', 'refs/heads/main'], { cwd: path })).toBe(id.two)
  })
})

async function pushOurs(request: Uint8Array): Promise<readonly [path: string, answer: Uint8Array]> {
  const path = join(await temporaryDirectory(), 'served.git')
  await cp(template, path, { recursive: true })
  return [path, await ourPush(path, request)]
}

describe('a request', () => {
  it('without commands, as git sends to probe, has an empty answer', async () => {
    const [, answer] = await pushOurs(wire(FLUSH))
    expect(answer).toEqual(new Uint8Array(0))
  })

  it('that asks for no report gets none', async () => {
    const pack = await packOf(['three'], ['two'])
    const [path, answer] = await pushOurs(
      pushRequest([['two', 'three', 'refs/heads/main']], 'side-band-64k quiet', pack),
    )
    expect(await packets(answer)).toEqual(['<flush>'])
    expect(await git(['rev-parse', 'refs/heads/main'], { cwd: path })).toBe(id.three)
  })

  it('without side-band gets a bare report', async () => {
    const pack = await packOf(['three'], ['two'])
    const [, answer] = await pushOurs(
      pushRequest([['two', 'three', 'refs/heads/main']], 'report-status', pack),
    )
    expect(await packets(answer)).toEqual(['unpack ok', 'ok refs/heads/main', '<flush>'])
  })

  it('that names a ref twice changes nothing by it', async () => {
    const commands: Command[] = [
      ['two', 'three', 'refs/heads/main'],
      ['two', 'other', 'refs/heads/main'],
      ['zero', 'one', 'refs/heads/new'],
    ]
    const pack = await packOf(['three', 'other'], ['one'])
    const [, answer] = await pushOurs(pushRequest(commands, 'report-status', pack))
    expect(await packets(answer)).toEqual([
      'unpack ok',
      "ng refs/heads/main multiple updates for ref 'refs/heads/main' not allowed",
      "ng refs/heads/main multiple updates for ref 'refs/heads/main' not allowed",
      'ok refs/heads/new',
      '<flush>',
    ])
  })

  it('shows progress on band 2 unless it is to be quiet', async () => {
    await git(['repack', '-q', '-ad'], { cwd: client })
    const pack = await packOf(['three'], ['one'])
    const command: Command = ['two', 'three', 'refs/heads/main']
    const [, loud] = await pushOurs(pushRequest([command], 'report-status side-band-64k', pack))
    const [, quiet] = await pushOurs(pushRequest([command], 'report-status side-band-64k quiet', pack))
    expect((await demux(quiet)).progress).toBe('')
    const { progress } = await demux(loud)
    expect(progress === '' || /Resolving deltas: 100% \(\d+\/\d+\), done\.\n/.test(progress)).toBe(true)
  })

  it.each([
    [
      'of another object format',
      () => [`${ZERO} ${id.one} refs/heads/x\0 side-band-64k object-format=sha256`, FLUSH],
      "unsupported object format 'sha256'",
    ],
    [
      'with a malformed command',
      () => [`${ZERO} ${id.one} refs/heads/x\0 side-band-64k`, 'update main', FLUSH],
      "protocol error: expected old/new/ref, got 'update main'",
    ],
    [
      'with a push certificate',
      () => ['push-cert\0 side-band-64k', FLUSH],
      'push certificates are not supported here; push without --signed',
    ],
    [
      'without end',
      () => [`${ZERO} ${id.one} refs/heads/x\0 side-band-64k`],
      'the remote end hung up unexpectedly',
    ],
  ] as const)('%s is refused on band 3', async (_, parts, message) => {
    const [, answer] = await pushOurs(wire(...parts()))
    expect((await demux(answer)).fatal).toBe(`${message}\n`)
  })

  it('that is no request at all is thrown', async () => {
    await expect(pushOurs(new TextEncoder().encode('GET / HTTP/1.1'))).rejects.toThrow(
      'bad line length character',
    )
  })

  it('is answered alike however it arrives', async () => {
    const pack = await packOf(['three'], ['two'])
    const request = pushRequest([['two', 'three', 'refs/heads/main']], 'report-status', pack)
    const path = join(await temporaryDirectory(), 'served.git')
    await cp(template, path, { recursive: true })
    const answer = await ourPush(path, request, Array.from(request.keys()))
    expect(await packets(answer)).toEqual(['unpack ok', 'ok refs/heads/main', '<flush>'])
  })
})
