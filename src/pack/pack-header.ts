import { GitError } from '../errors.ts'

/** Bytes in front of the first entry: `PACK`, version, object count (gitformat-pack). */
export const PACK_HEADER_LENGTH = 12

const SIGNATURE = 0x5041434b

/**
 * Parses a pack header and returns the object count.
 *
 * @throws GitError `CORRUPT_PACK`, `UNSUPPORTED` for a version other than 2 and 3.
 */
export function parsePackHeader(bytes: Uint8Array): number {
  if (bytes.length < PACK_HEADER_LENGTH)
    throw new GitError('CORRUPT_PACK', 'early EOF: the pack ends inside its header')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0) !== SIGNATURE) throw new GitError('CORRUPT_PACK', 'pack signature mismatch')
  const version = view.getUint32(4)
  if (version !== 2 && version !== 3) {
    throw new GitError('UNSUPPORTED', `pack version ${version} unsupported; expected 2 or 3`)
  }
  return view.getUint32(8)
}

/** Encodes the header of a version 2 pack. */
export function encodePackHeader(objectCount: number): Uint8Array {
  const bytes = new Uint8Array(PACK_HEADER_LENGTH)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, SIGNATURE)
  view.setUint32(4, 2)
  view.setUint32(8, objectCount)
  return bytes
}
