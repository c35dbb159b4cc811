import type { Deflate } from '../codec/ports.ts'
import type { ObjectType } from '../object/object-type.ts'
import { encodeEntryHeader, MAX_ENTRY_HEADER } from './entry-header.ts'

/** Encodes a whole object as a pack entry: its header, and its body deflated. */
export function encodeEntry(type: ObjectType, body: Uint8Array, deflate: Deflate): Uint8Array {
  const deflated = deflate.deflate(body)
  const entry = new Uint8Array(MAX_ENTRY_HEADER + deflated.length)
  const dataAt = encodeEntryHeader(type, body.length, entry, 0)
  entry.set(deflated, dataAt)
  return entry.subarray(0, dataAt + deflated.length)
}
