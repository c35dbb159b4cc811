import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeLatin1, encodeLatin1 } from '../../src/bytes/text.ts'
import { hashObject } from '../../src/object/object-id.ts'
import { encodeHex, parseHex } from '../../src/bytes/hex.ts'
import { fsckObject, isFsckError, type FsckFinding } from '../../src/object/fsck.ts'
import { FsckSession } from '../../src/object/fsck-session.ts'
import { BLOB, COMMIT, objectTypeName, TAG, TREE, type ObjectType } from '../../src/object/object-type.ts'
import { gitEnvironment } from '../support/git.ts'
import {
  brokenCommits,
  brokenTags,
  brokenTrees,
  EMPTY_TREE,
  gitattributesTexts,
  gitmodulesTexts,
} from './broken-objects.ts'
import { SHA1 } from './test-formats.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'packstone-fsck-'))
  git(['init', '-q', '--bare'])
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

function git(args: readonly string[], input: Uint8Array = new Uint8Array(0)): { out: string; error: string } {
  const run = spawnSync('git', args, { cwd: folder, env: gitEnvironment(), input })
  return { out: run.stdout.toString('latin1'), error: run.stderr.toString('latin1') }
}

function write(type: ObjectType, body: string): string {
  const args = ['hash-object', '--literally', '-w', '-t', objectTypeName(type), '--stdin']
  return git(args, encodeLatin1(body)).out.trim()
}

function idOf(type: ObjectType, body: string): string {
  return encodeHex(hashObject(type, encodeLatin1(body), SHA1))
}

function treeNaming(name: string, blob: string): string {
  return `100644 ${name}\0${decodeLatin1(parseHex(idOf(BLOB, blob)))}`
}

const inTag = (body: string): string => body.replaceAll('$TREE', EMPTY_TREE)

/** Message ids, each with how grave it is, in the order of the alphabet: git's own order is not promised. */
function graded(findings: readonly FsckFinding[]): string[] {
  return findings.map((finding) => `${isFsckError(finding) ? 'error' : 'warning'} ${finding.id}`).sort()
}

function check(type: ObjectType, body: string, strict: boolean): string[] {
  return graded(fsckObject(type, encodeLatin1(body), SHA1, { strict }))
}

function checkFile(name: string, text: string, strict: boolean): string[] {
  const session = new FsckSession(SHA1, { strict })
  const id = parseHex(idOf(BLOB, text))
  expect(session.check(TREE, encodeLatin1(treeNaming(name, text)), new Uint8Array(20))).toEqual([])
  const findings = session.check(BLOB, encodeLatin1(text), id)
  expect(session.pending()).toEqual([])
  return graded(findings)
}

describe.each([false, true])('strict: %s', (strict) => {
  /** Object id to what git fsck says of it. */
  const theirs = new Map<string, string[]>()

  beforeAll(() => {
    write(TREE, '')
    for (const [, body] of brokenCommits) write(COMMIT, body)
    for (const [, body] of brokenTrees) write(TREE, body)
    for (const [, body] of brokenTags) write(TAG, inTag(body))
    for (const text of gitmodulesTexts) write(TREE, treeNaming('.gitmodules', write(BLOB, text) && text))
    for (const [, text] of gitattributesTexts)
      write(TREE, treeNaming('.gitattributes', write(BLOB, text) && text))
    const { error } = git(strict ? ['fsck', '--strict'] : ['fsck'])
    for (const [, level, id = '', message] of error.matchAll(
      /^(error|warning) in \w+ ([0-9a-f]+): (\w+):/gm,
    )) {
      theirs.set(id, [...(theirs.get(id) ?? []), `${level ?? ''} ${message ?? ''}`].sort())
    }
  })

  const fsck = (type: ObjectType, body: string): string[] => theirs.get(idOf(type, body)) ?? []

  test.each(brokenCommits)('git fsck finds the same in a commit: %s', (_, body) => {
    expect(check(COMMIT, body, strict)).toEqual(fsck(COMMIT, body))
  })

  test.each(brokenTrees)('git fsck finds the same in a tree: %s', (_, body) => {
    expect(check(TREE, body, strict)).toEqual(fsck(TREE, body))
  })

  test.each(brokenTags.filter(([, body]) => isReadable(body)))(
    'git fsck finds the same in a tag: %s',
    (_, body) => {
      expect(check(TAG, inTag(body), strict)).toEqual(fsck(TAG, inTag(body)))
    },
  )

  test.each(gitmodulesTexts)('git fsck finds the same in .gitmodules: %j', (text) => {
    expect(checkFile('.gitmodules', text, strict)).toEqual(fsck(BLOB, text))
  })

  test.each(gitattributesTexts)('git fsck finds the same in .gitattributes: %s', (_, text) => {
    expect(checkFile('.gitattributes', text, strict)).toEqual(fsck(BLOB, text))
  })
})

/** Git fsck reads target and name of a tag before it checks it; where it cannot, it names no message. */
function isReadable(tag: string): boolean {
  return /^object \$TREE\ntype tree\ntag .*\n/.test(tag)
}

test('git mktag finds the same in a tag, also where git fsck cannot read it', () => {
  // Mktag warns of extra headers, and stops at everything it reports.
  const severities = { extraHeaderEntry: 'warn', badTagName: 'error', missingTaggerEntry: 'error' } as const
  for (const [name, body] of brokenTags) {
    const { error } = git(['mktag'], encodeLatin1(inTag(body)))
    const theirs = [...error.matchAll(/tag input does not pass fsck: (\w+):/g)].map(([, id]) => id)
    const findings = fsckObject(TAG, encodeLatin1(inTag(body)), SHA1, { strict: true, severities })
    expect([name, ...findings.map(({ id }) => id)]).toEqual([name, ...theirs])
  }
})

test('index-pack --strict takes a pack exactly when its object has no error', () => {
  for (const [name, body] of brokenCommits) {
    const pack = spawnSync('git', ['pack-objects', '-q', '--stdout'], {
      cwd: folder,
      env: gitEnvironment(),
      input: `${idOf(COMMIT, body)}\n`,
    })
    const { error } = git(['index-pack', '--strict', '--stdin'], pack.stdout)
    const hasError = check(COMMIT, body, true).some((finding) => finding.startsWith('error'))
    expect(hasError, name).toBe(error.includes('fsck error in packed object'))
  }
})
