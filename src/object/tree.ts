import { compareBytes } from '../bytes/compare.ts'
import { encodeHex } from '../bytes/hex.ts'
import { decodeLatin1 } from '../bytes/text.ts'
import { GitError } from '../errors.ts'
import { decodeEscapedText, encodeEscapedText } from './escaped-text.ts'
import { isTreeMode } from './file-mode.ts'
import type { ObjectFormat } from './object-format.ts'
import { parseObjectId, type ObjectId } from './object-id.ts'
import { TreeCursor } from './tree-iterator.ts'

/** One entry of a tree. */
export interface TreeEntry {
  /** See file-mode.ts. */
  readonly mode: number
  /** The mode as it is written, only when that is not the plain octal number: early tools padded it with zeros. */
  readonly modeText?: string
  /** Escaped text (see escaped-text.ts): any bytes but NUL and slash. */
  readonly name: string
  readonly id: ObjectId
}

const SLASH = 0x2f
const MODE_LIMIT = 0o40000000000
const NOT_A_NAME = /^(?:|\.|\.\.|\.git)$|[/\0]/i

/**
 * Parses a tree. Encoding the result gives the same bytes, so a tree that could not be written (not sorted, with
 * duplicate or impossible names) is refused; {@link TreeCursor} reads those too.
 *
 * @throws GitError `CORRUPT_OBJECT`
 */
export function parseTree(body: Uint8Array, format: ObjectFormat): readonly TreeEntry[] {
  const cursor = new TreeCursor(format.idLength, body)
  const entries: TreeEntry[] = []
  const names = new Set<string>()
  let previous: Uint8Array | undefined
  while (cursor.next()) {
    const { mode, nameStart, nameEnd, idAt } = cursor
    const nameBytes = body.subarray(nameStart, nameEnd)
    const name = decodeEscapedText(nameBytes)
    if (NOT_A_NAME.test(name)) throw malformedTree(`'${name}' is no name for an entry`)
    if (names.has(name)) throw malformedTree(`two entries are named '${name}'`)
    names.add(name)
    const key = sortKey(nameBytes, mode)
    if (previous !== undefined && compareBytes(previous, key) > 0)
      throw malformedTree(`'${name}' is not in order`)
    previous = key
    const modeText = decodeLatin1(body, cursor.entryStart, nameStart - 1)
    const id = encodeHex(body, idAt, idAt + format.idLength)
    const isPlain = modeText === mode.toString(8)
    if (!isPlain && Number.parseInt(modeText, 8) !== mode)
      throw malformedTree(`'${name}' has a mode beyond 32 bits`)
    entries.push(isPlain ? { mode, name, id } : { mode, modeText, name, id })
  }
  return entries
}

/**
 * Encodes a tree: sorts the entries as git does, by bytes, a directory as if its name ended with a slash.
 *
 * @throws GitError `INVALID_ARGUMENT` for a duplicate name, one that no file can have (empty, `.`, `..`, `.git`, with
 * slash or NUL) or a mode that is no octal number of at most 32 bits; `INVALID_ID`
 */
export function encodeTree(entries: Iterable<TreeEntry>, format: ObjectFormat): Uint8Array {
  const names = new Set<string>()
  const parts: {
    readonly key: Uint8Array
    readonly mode: Uint8Array
    readonly name: Uint8Array
    readonly id: Uint8Array
  }[] = []
  let length = 0
  for (const entry of entries) {
    if (NOT_A_NAME.test(entry.name)) throw badEntry(entry, 'that is no name for an entry')
    if (names.has(entry.name)) throw badEntry(entry, 'there are two entries of that name')
    names.add(entry.name)
    const mode = encodeEscapedText(writtenMode(entry))
    const name = encodeEscapedText(entry.name)
    parts.push({ key: sortKey(name, entry.mode), mode, name, id: parseObjectId(entry.id, format) })
    length += mode.length + 1 + name.length + 1 + format.idLength
  }
  parts.sort((left, right) => compareBytes(left.key, right.key))

  const body = new Uint8Array(length)
  let at = 0
  for (const { mode, name, id } of parts) {
    body.set(mode, at)
    body[at + mode.length] = 0x20
    at += mode.length + 1
    body.set(name, at)
    at += name.length + 1
    body.set(id, at)
    at += id.length
  }
  return body
}

function writtenMode(entry: TreeEntry): string {
  const { mode, modeText } = entry
  if (!Number.isInteger(mode) || mode < 0 || mode >= MODE_LIMIT) throw badEntry(entry, `its mode is ${mode}`)
  if (modeText === undefined) return mode.toString(8)
  if (!/^[0-7]+$/.test(modeText) || Number.parseInt(modeText, 8) !== mode) {
    throw badEntry(entry, `its mode is written '${modeText}', which is not ${mode.toString(8)}`)
  }
  return modeText
}

/** The bytes an entry sorts by. */
function sortKey(name: Uint8Array, mode: number): Uint8Array {
  if (!isTreeMode(mode)) return name
  const key = new Uint8Array(name.length + 1)
  key.set(name)
  key[name.length] = SLASH
  return key
}

function badEntry(entry: TreeEntry, what: string): GitError {
  return new GitError('INVALID_ARGUMENT', `the tree entry '${entry.name}' cannot be written: ${what}`)
}

function malformedTree(what: string): GitError {
  return new GitError('CORRUPT_OBJECT', `malformed tree: ${what}`, { details: { type: 'tree' } })
}
