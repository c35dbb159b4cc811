import { describe, expect, test } from 'vitest'
import { encodeHex } from '../../src/bytes/hex.ts'
import { encodeLatin1 } from '../../src/bytes/text.ts'
import { isGitError } from '../../src/errors.ts'
import { fsckObject, isFsckError, type FsckFinding, type FsckOptions } from '../../src/object/fsck.ts'
import { parseFsckConfig } from '../../src/object/fsck-config.ts'
import { FsckSession } from '../../src/object/fsck-session.ts'
import { hashObject } from '../../src/object/object-id.ts'
import { BLOB, COMMIT, TAG, TREE } from '../../src/object/object-type.ts'
import { SHA1, SHA256 } from './test-formats.ts'

const ID = 'ab'.repeat(20)
const GOOD = 'A <a@b> 1000000000 +0000'

function ids(findings: readonly FsckFinding[]): string[] {
  return findings.map(({ id }) => id)
}

function commit(text: string, options: FsckOptions = {}): string[] {
  return ids(fsckObject(COMMIT, encodeLatin1(text), SHA1, options))
}

function treeNaming(mode: string, name: string, id: Uint8Array): Uint8Array {
  return new Uint8Array([...encodeLatin1(`${mode} ${name}\0`), ...id])
}

describe('commits that git does not even parse', () => {
  test.each([
    ['empty', '', 'unterminatedHeader'],
    ['no tree', `author ${GOOD}\ncommitter ${GOOD}\n\nm`, 'missingTree'],
    ['bad tree', `tree ${ID}0\nauthor ${GOOD}\ncommitter ${GOOD}\n\nm`, 'badTreeSha1'],
    [
      'id of another format',
      `tree ${'ab'.repeat(32)}\nauthor ${GOOD}\ncommitter ${GOOD}\n\nm`,
      'badTreeSha1',
    ],
    ['bad parent', `tree ${ID}\nparent x\nauthor ${GOOD}\ncommitter ${GOOD}\n\nm`, 'badParentSha1'],
  ])('%s', (_, text, id) => {
    expect(commit(text)).toEqual([id])
  })
})

describe('options', () => {
  const bad = `tree ${ID}x\nparent y\nauthor A <a> 01 +0000\ncommitter A <a> 1\n\nm\0`

  test('a demoted error is reported as a warning and the check goes on behind it', () => {
    const severities = {
      badTreeSha1: 'warn',
      badParentSha1: 'ignore',
      zeroPaddedDate: 'warn',
      badDate: 'warn',
    } as const
    const findings = fsckObject(COMMIT, encodeLatin1(bad), SHA1, { severities })
    expect(findings.map(({ id, severity }) => [id, severity])).toEqual([
      ['badTreeSha1', 'warn'],
      ['zeroPaddedDate', 'warn'],
      ['badDate', 'warn'],
      ['nulInCommit', 'warn'],
    ])
    expect(findings.some(isFsckError)).toBe(false)
  })

  test('strictness makes warnings errors unless they were chosen, and leaves infos alone', () => {
    const tree = encodeLatin1(`0100600 .git\0${'\0'.repeat(20)}`)
    const findings = fsckObject(TREE, tree, SHA1, { strict: true, severities: { nullSha1: 'warn' } })
    expect(findings.map(({ id, severity }) => [id, severity])).toEqual([
      ['nullSha1', 'warn'],
      ['hasDotgit', 'error'],
      ['zeroPaddedFilemode', 'error'],
      ['badFilemode', 'info'],
    ])
  })

  test('nothing is found in an object that is skipped, whether or not its id is given', () => {
    const body = encodeLatin1(bad)
    const id = hashObject(COMMIT, body, SHA1)
    const options = { skip: new Set([encodeHex(id)]) }
    expect(fsckObject(COMMIT, body, SHA1, options)).toEqual([])
    expect(fsckObject(COMMIT, body, SHA1, options, { id })).toEqual([])
    expect(commit(`${bad}.`, options)).not.toEqual([])
  })

  test('a fatal message cannot be demoted', () => {
    const severities = { unterminatedHeader: 'ignore' } as const
    expect(commit('tree', { severities })).toEqual(['unterminatedHeader'])
  })
})

test('objects of a sha256 repository are checked with their id length', () => {
  const id = 'ab'.repeat(32)
  const body = encodeLatin1(`tree ${id}\nparent ${id}\nauthor ${GOOD}\ncommitter ${GOOD}\n\nm`)
  expect(fsckObject(COMMIT, body, SHA256)).toEqual([])
  const tag = encodeLatin1(`object ${id}\ntype commit\ntag v\ntagger ${GOOD}\n\nm`)
  expect(fsckObject(TAG, tag, SHA256)).toEqual([])
  expect(ids(fsckObject(TAG, tag, SHA1))).toEqual(['badObjectSha1'])
})

describe('a session', () => {
  const modules = encodeLatin1('[submodule "x"]\n\tpath = -x\n')
  const id = hashObject(BLOB, modules, SHA1)
  const tree = treeNaming('100644', '.GITMODULES', id)
  const treeId = hashObject(TREE, tree, SHA1)

  test('checks a special blob that arrives after its tree, once', () => {
    const session = new FsckSession(SHA1)
    expect(session.check(TREE, tree, treeId)).toEqual([])
    expect(session.pending()).toEqual([{ file: 'gitmodules', id }])
    expect(ids(session.check(BLOB, modules, id))).toEqual(['gitmodulesPath'])
    expect(session.pending()).toEqual([])
    session.check(TREE, tree, treeId)
    expect(session.check(BLOB, modules, id)).toEqual([])
  })

  test('asks for a special blob that arrived before its tree', () => {
    const session = new FsckSession(SHA1)
    expect(session.check(BLOB, modules, id)).toEqual([])
    session.check(TREE, tree, treeId)
    const [pending] = session.pending()
    expect(pending?.file).toBe('gitmodules')
    expect(ids(session.checkPending(pending!, { type: BLOB, body: modules }))).toEqual(['gitmodulesPath'])
    expect(session.pending()).toEqual([])
  })

  test.each([
    ['.gitmodules', 'gitmodules'],
    ['.gitattributes', 'gitattributes'],
  ])('reports %s that is absent or no blob', (name, file) => {
    const session = new FsckSession(SHA1)
    session.check(TREE, treeNaming('40000', name, id), treeId)
    const [pending] = session.pending()
    expect(ids(session.checkPending(pending!, null))).toEqual([`${file}Missing`])
    expect(ids(session.checkPending(pending!, { type: TREE, body: tree }))).toEqual([`${file}Blob`])
  })

  test('finds nothing in a special blob that is skipped', () => {
    const session = new FsckSession(SHA1, { skip: new Set([encodeHex(id)]) })
    session.check(TREE, tree, treeId)
    expect(session.check(BLOB, modules, id)).toEqual([])
  })
})

describe('severities from a config', () => {
  const entry = (key: string, value?: string): { key: string; value: string | undefined } => ({ key, value })

  test('ids compare without case, the last setting wins, unknown ids are listed', () => {
    const config = parseFsckConfig([
      entry('receive.fsck.zeropaddedfilemode', 'error'),
      entry('receive.fsck.ZeroPaddedFilemode', 'ignore'),
      entry('receive.fsck.skiplist', '/some/file'),
      entry('receive.fsck.frobnicate', 'warn'),
      entry('fsck.badDate', 'warn'),
      entry('receive.fsckobjects', 'true'),
    ])
    expect(config).toEqual({ severities: { zeroPaddedFilemode: 'ignore' }, unknownIds: ['frobnicate'] })
    expect(parseFsckConfig([entry('fsck.baddate', 'warn')], 'fsck').severities).toEqual({ badDate: 'warn' })
  })

  test.each([
    ['another severity', entry('receive.fsck.baddate', 'info')],
    ['no severity', entry('receive.fsck.baddate')],
    ['a demoted fatal message', entry('receive.fsck.nulinheader', 'warn')],
  ])('refuses %s', (_, setting) => {
    let thrown: unknown
    try {
      parseFsckConfig([setting])
    } catch (error) {
      thrown = error
    }
    expect(isGitError(thrown, 'CORRUPT_CONFIG')).toBe(true)
  })
})
