import { expect, test } from 'vitest'
import { encodeHex } from '../../src/bytes/hex.ts'
import { decodeLatin1, encodeLatin1 } from '../../src/bytes/text.ts'
import { isGitError } from '../../src/errors.ts'
import { parseCommitLinks } from '../../src/object/commit-links.ts'
import { isGitlinkMode, isTreeMode } from '../../src/object/file-mode.ts'
import { COMMIT } from '../../src/object/object-type.ts'
import { parseTagTarget } from '../../src/object/tag-target.ts'
import { TreeCursor } from '../../src/object/tree-iterator.ts'
import { SHA1, SHA256 } from './test-formats.ts'

const A = 'a1'.repeat(20)
const B = 'b2'.repeat(20)
const C = 'c3'.repeat(20)

function entriesOf(cursor: TreeCursor): [number, string, string][] {
  const found: [number, string, string][] = []
  while (cursor.next()) {
    found.push([
      cursor.mode,
      decodeLatin1(cursor.body, cursor.nameStart, cursor.nameEnd),
      encodeHex(cursor.body, cursor.idAt, cursor.idAt + 20),
    ])
  }
  return found
}

function codeOf(run: () => unknown): string | undefined {
  try {
    run()
  } catch (error) {
    return isGitError(error) ? error.code : String(error)
  }
  return undefined
}

test('a cursor gives every entry of a tree and can be used again', () => {
  const body = encodeLatin1(
    `100644 a\0${'\x11'.repeat(20)}40000 dir\0${'\0'.repeat(20)}160000 \xff\0${' '.repeat(20)}`,
  )
  const cursor = new TreeCursor(20, body)
  const expected = [
    [0o100644, 'a', '11'.repeat(20)],
    [0o40000, 'dir', '00'.repeat(20)],
    [0o160000, '\xff', '20'.repeat(20)],
  ]
  expect(entriesOf(cursor)).toEqual(expected)
  expect(cursor.next()).toBe(false)
  cursor.reset(body)
  expect(entriesOf(cursor)).toEqual(expected)
  cursor.reset(new Uint8Array(0))
  expect(cursor.next()).toBe(false)
})

test.each([
  ['cut within the id', `100644 a\0${'x'.repeat(19)}`],
  ['cut within the name', '100644 abc'],
  ['cut within the mode', '1006'],
  ['no mode', ` a\0${'x'.repeat(20)}`],
  ['mode not octal', `100648 a\0${'x'.repeat(20)}`],
  ['empty name', `100644 \0${'x'.repeat(20)}`],
])('a malformed tree is refused: %s', (_, text) => {
  expect(codeOf(() => entriesOf(new TreeCursor(20, encodeLatin1(text))))).toBe('CORRUPT_OBJECT')
})

test('a mode that is no file, link or directory is never followed', () => {
  expect([0, 0o160000, 0o170000, 0o100664, 0o40755].map(isGitlinkMode)).toEqual([
    true,
    true,
    true,
    false,
    false,
  ])
  expect(isTreeMode(0o40755)).toBe(true)
})

test('commit links are the tree, the parents in order and the committer date', () => {
  const body = encodeLatin1(
    `tree ${A}\nparent ${C}\nparent ${B}\nauthor a <a> 1 +0000\ncommitter c > <c> 1700000000 +0100\nodd\n\nparent ${A}\n`,
  )
  const links = parseCommitLinks(body, SHA1)
  expect(encodeHex(links.tree)).toBe(A)
  expect(links.parents.map((id) => encodeHex(id))).toEqual([C, B])
  expect(links.committerTime).toBe(1700000000)
})

test('commit links of a sha256 repository have 32-byte ids', () => {
  const id = 'd4'.repeat(32)
  const links = parseCommitLinks(encodeLatin1(`tree ${id}\nparent ${id}\n`), SHA256)
  expect([links.tree, ...links.parents].map((raw) => encodeHex(raw))).toEqual([id, id])
})

test.each([
  ['no committer', 'author a <a> 1 +0000\n\n', 0],
  ['no author', 'committer a <a> 1 +0000\n\n', 0],
  ['no date', 'author a <a>\ncommitter a <a>\n\n', 0],
  ['no bracket', 'author a\ncommitter a 123 +0000\n\n', 0],
  ['a date that is a word', 'author a <a>\ncommitter a <a> soon\n\n', 0],
  ['a negative date', 'author a <a>\ncommitter a <a> -5 +0000\n\n', 0],
  ['blanks before the date', 'author a <a>\ncommitter a <a>   77\n\n', 77],
  ['no newline at the end', 'author a <a>\ncommitter a <a> 78', 78],
  [
    'a date beyond exact numbers',
    'author a\ncommitter <> 99999999999999999999 +0000\n',
    Number.MAX_SAFE_INTEGER,
  ],
])('an odd committer line does not stop a walk: %s', (_, lines, time) => {
  expect(parseCommitLinks(encodeLatin1(`tree ${A}\n${lines}`), SHA1).committerTime).toBe(time)
})

test.each([
  ['empty', ''],
  ['no tree', `parent ${A}\n`],
  ['short tree', `tree ${A.slice(1)}\n`],
  ['tree without newline', `tree ${A}`],
  ['tree not hexadecimal', `tree ${'g'.repeat(40)}\n`],
  ['bad parent', `tree ${A}\nparent ${A}0\n`],
])('a commit whose links cannot be read is refused: %s', (_, text) => {
  expect(codeOf(() => parseCommitLinks(encodeLatin1(text), SHA1))).toBe('CORRUPT_OBJECT')
})

test('a tag target has id, type and name', () => {
  const target = parseTagTarget(
    encodeLatin1(`object ${B}\ntype commit\ntag v1.0\ntagger t <t> 1 +0000\n\nm`),
    SHA1,
  )
  expect([encodeHex(target.id), target.type, target.name]).toEqual([B, COMMIT, 'v1.0'])
  expect(parseTagTarget(encodeLatin1(`object ${B}\ntype commit\n`), SHA1)).not.toHaveProperty('name')
})

test.each([
  ['no object', `type commit\n`],
  ['no type', `object ${A}\ntag v\n`],
  ['unknown type', `object ${A}\ntype comet\ntag v\n`],
])('a tag whose target cannot be read is refused: %s', (_, text) => {
  expect(codeOf(() => parseTagTarget(encodeLatin1(text), SHA1))).toBe('CORRUPT_OBJECT')
})
