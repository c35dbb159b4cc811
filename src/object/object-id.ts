import { encodeHex, parseHex } from '../bytes/hex.ts'
import { GitError } from '../errors.ts'
import type { ObjectFormat } from './object-format.ts'
import { objectTypeName, type ObjectType } from './object-type.ts'

/**
 * An object id as lowercase hexadecimal text: the form of the public API, of refs and of the wire.
 * Inner code holds ids as raw bytes, usually many of them side by side in one array.
 */
export type ObjectId = string

const LOWERCASE_HEX = /^[0-9a-f]+$/

/** Tells whether the text is a full lowercase hexadecimal id of the given format. */
export function isObjectId(text: string, format: ObjectFormat): boolean {
  return text.length === format.hexLength && LOWERCASE_HEX.test(text)
}

/**
 * The raw bytes of an id given in hexadecimal.
 *
 * @throws GitError `INVALID_ID` when it is not a full lowercase id of the format.
 */
export function parseObjectId(text: ObjectId, format: ObjectFormat): Uint8Array {
  if (!isObjectId(text, format)) {
    throw new GitError(
      'INVALID_ID',
      `'${text.slice(0, 80)}' is not an object id; expected ${format.hexLength} lowercase hexadecimal digits (${format.name})`,
    )
  }
  return parseHex(text)
}

/** The hexadecimal form of the raw id at `bytes[at, at + idLength)`. */
export function encodeObjectId(bytes: Uint8Array, at: number, format: ObjectFormat): ObjectId {
  return encodeHex(bytes, at, at + format.idLength)
}

/** Computes the id of an object: the hash over `"<type> <size>\0"` and its body. Returns a new array. */
export function hashObject(type: ObjectType, body: Uint8Array, format: ObjectFormat): Uint8Array {
  const header = encodeObjectHeader(type, body.length)
  const hash = format.hash.create()
  hash.update(header)
  hash.update(body)
  const id = new Uint8Array(format.idLength)
  hash.digestInto(id, 0)
  return id
}

/** The header `"<type> <size>\0"` that is hashed, and in loose objects stored, in front of a body. */
export function encodeObjectHeader(type: ObjectType, size: number): Uint8Array {
  const text = `${objectTypeName(type)} ${size}\0`
  const header = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at++) header[at] = text.charCodeAt(at)
  return header
}
