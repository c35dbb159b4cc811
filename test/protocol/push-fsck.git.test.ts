import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/bytes/concat.ts'
import { git } from '../support/git.ts'
import { encodeRawPack, rawCommit, rawObjectId, rawTree, type RawEntry } from '../support/raw-pack.ts'
import { snapshotFiles } from '../support/repositories.ts'
import { gitPush, ourPush, temporaryDirectory } from './served-repository.ts'
import { demux, FLUSH, packets, wire } from './wire.ts'

const ZERO = '0'.repeat(40)

const blob = Buffer.from('x')
const blobId = rawObjectId('blob', blob)
const goodTree = rawTree('file', blobId)

function commitOf(tree: Buffer, edit: (text: string) => string = (text) => text): Buffer {
  return Buffer.from(edit(rawCommit(rawObjectId('tree', tree)).toString()))
}

/** Contents of a push, by what is wrong with it. */
const CASES: readonly [string, tree: Buffer, commit: Buffer, more?: RawEntry][] = [
  ['no fault', goodTree, commitOf(goodTree)],
  [
    'missingSpaceBeforeEmail',
    goodTree,
    commitOf(goodTree, (text) => text.replace('author A U Thor <', 'author A U Thor<')),
  ],
  ['missingEmail', goodTree, commitOf(goodTree, (text) => text.replaceAll(/ <author@example.com>/g, ''))],
  ['badTimezone', goodTree, commitOf(goodTree, (text) => text.replaceAll('+0000', '0000'))],
  ['missingAuthor', goodTree, commitOf(goodTree, (text) => text.replace(/author .*\n/, ''))],
  ['hasDot', rawTree('.', blobId), commitOf(rawTree('.', blobId))],
  ['hasDotgit', rawTree('.git', blobId), commitOf(rawTree('.git', blobId))],
  ['zeroPaddedFilemode', padded(), commitOf(padded())],
  ['badFilemode', mode('100666'), commitOf(mode('100666'))],
  ['gitmodulesName', modules(), commitOf(modules()), { type: 'blob', body: modulesBody() }],
]

function padded(): Buffer {
  return mode('0100644')
}
function mode(octal: string): Buffer {
  return Buffer.concat([Buffer.from(`${octal} file\0`), Buffer.from(blobId, 'hex')])
}
function modulesBody(): Buffer {
  return Buffer.from('[submodule "../x"]\n\tpath = x\n\turl = https://example.com/x\n')
}
function modules(): Buffer {
  return rawTree('.gitmodules', rawObjectId('blob', modulesBody()))
}

interface Answer {
  readonly report: readonly string[]
  /** Which fault of which object is an error or a warning; the words after that are each server's own. */
  readonly faults: readonly string[]
  readonly isKept: boolean
}

async function pushTo(
  push: (path: string, request: Uint8Array) => Promise<Uint8Array>,
  [, tree, commit, more]: (typeof CASES)[number],
  config: Readonly<Record<string, string>>,
): Promise<Answer> {
  const path = join(await temporaryDirectory(), 'served.git')
  await git(['init', '-q', '--bare', path])
  for (const [key, value] of Object.entries(config)) await git(['config', key, value], { cwd: path })
  const before = await snapshotFiles(join(path, 'objects'))
  const pack = encodeRawPack([
    { type: 'blob', body: blob },
    { type: 'tree', body: tree },
    { type: 'commit', body: commit },
    ...(more === undefined ? [] : [more]),
  ])
  const line = `${ZERO} ${rawObjectId('commit', commit)} refs/heads/main\0 report-status side-band-64k`
  const { data, progress } = await demux(await push(path, concatBytes([wire(line, FLUSH), pack])))
  return {
    report: await packets(data),
    faults: progress
      .split('\n')
      .flatMap((text) => /^(?:(?:error|warning): object \w+: \w+|fatal: fsck.*)/.exec(text) ?? []),
    isKept: JSON.stringify(await snapshotFiles(join(path, 'objects'))) !== JSON.stringify(before),
  }
}

// Git names the program that gave up: unpack-objects for few objects, index-pack otherwise.
const LIKE_OURS = { 'receive.unpackLimit': '1' }

describe('objects of a push are checked as by git that was told to', () => {
  it.each(CASES)('%s', async (...given) => {
    const mine = await pushTo(ourPush, given, {})
    expect(mine).toEqual(await pushTo(gitPush, given, { ...LIKE_OURS, 'receive.fsckObjects': 'true' }))
    expect(mine.isKept).toBe(mine.report.includes('ok refs/heads/main'))
  })

  it.each(CASES)('%s, told to put up with it', async (...given) => {
    const config = {
      ...LIKE_OURS,
      'receive.fsckObjects': 'true',
      [`receive.fsck.${given[0].replace('no fault', 'hasDot')}`]: 'warn',
    }
    expect(await pushTo(ourPush, given, config)).toEqual(await pushTo(gitPush, given, config))
  })

  it.each([
    [{ 'receive.fsckObjects': 'false' }],
    [{ 'transfer.fsckObjects': 'false' }],
    [{ 'receive.fsck.missingSpaceBeforeEmail': 'ignore' }],
  ])('and not when told not to: %j', async (config) => {
    const given = CASES[1] ?? CASES[0]
    if (given === undefined) throw new Error('no case')
    const mine = await pushTo(ourPush, given, config)
    expect(mine.report).toEqual(['unpack ok', 'ok refs/heads/main', '<flush>'])
    expect(mine.faults).toEqual([])
  })
})
