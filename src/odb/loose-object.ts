import type { Codecs } from '../codec/ports.ts'
import { decodeLatin1 } from '../bytes/text.ts'
import { GitError } from '../errors.ts'
import type { RawObject } from '../object/object-reader.ts'
import { parseObjectType } from '../object/object-type.ts'

/** The longest header: the longest type name, a space, twenty digits and the NUL. */
const MAX_HEADER = 32

/**
 * Parses a loose object file: one zlib stream of `"<type> <size>\0"` and the body.
 *
 * @throws GitError `CORRUPT_OBJECT`, `CORRUPT_ZLIB`, `LIMIT_EXCEEDED`
 */
export function parseLooseObject(file: Uint8Array, codecs: Codecs, maxSize: number): RawObject {
  const bytes = codecs.inflate.inflate(file, maxSize + MAX_HEADER)
  const end = bytes.subarray(0, MAX_HEADER).indexOf(0)
  if (end < 0) throw new GitError('CORRUPT_OBJECT', 'loose object has no header')
  const match = /^(\w+) (\d+)$/.exec(decodeLatin1(bytes, 0, end))
  const [, name, digits] = match ?? []
  if (name === undefined || digits === undefined)
    throw new GitError('CORRUPT_OBJECT', 'loose object has a malformed header')
  const body = bytes.subarray(end + 1)
  if (body.length !== Number(digits)) {
    throw new GitError('CORRUPT_OBJECT', `loose object has ${body.length} bytes; its header says ${digits}`)
  }
  return { type: parseObjectType(name), body }
}
