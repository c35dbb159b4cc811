import type { ObjectFormat } from '../object/object-format.ts'
import { assertChecksum, corruptChunks, hashVersion } from './chunk-file.ts'
import type { PackIndex } from './pack-index.ts'

/*
 * Layout of `pack-*.rev` (gitformat-pack), N objects:
 *   u32 'RIDX' | u32 version 1 | u32 hash function | N x u32 rank in the index, in pack order | pack checksum | checksum over all before it
 */
const MAGIC = 0x52494458
const HEADER = 12

/** Encodes the `.rev` file of a pack, byte for byte what git writes. */
export function encodeReverseIndex(index: PackIndex, format: ObjectFormat): Uint8Array<ArrayBuffer> {
  return encodeTable(MAGIC, index.packOrder, index, format)
}

/**
 * Parses the `.rev` file of a pack: ranks in pack order.
 *
 * @throws GitError `CORRUPT_INDEX` when it is damaged or of another pack.
 */
export function parseReverseIndex(file: Uint8Array, index: PackIndex, format: ObjectFormat): Uint32Array {
  return parseTable(MAGIC, file, index, format, 'reverse index')
}

/** Encodes a header, a number for each object, and both checksums: the frame of `.rev` and `.mtimes`. */
export function encodeTable(
  magic: number,
  values: Uint32Array,
  index: PackIndex,
  format: ObjectFormat,
): Uint8Array<ArrayBuffer> {
  const { idLength, hash } = format
  const file = new Uint8Array(HEADER + 4 * values.length + 2 * idLength)
  const view = new DataView(file.buffer)
  view.setUint32(0, magic)
  view.setUint32(4, 1)
  view.setUint32(8, hashVersion(format))
  for (let k = 0; k < values.length; k++) view.setUint32(HEADER + 4 * k, values[k]!)
  file.set(index.packChecksum, file.length - 2 * idLength)
  hash.digestRangeInto(file, 0, file.length - idLength, file, file.length - idLength)
  return file
}

/** Parses what {@link encodeTable} encodes. */
export function parseTable(
  magic: number,
  file: Uint8Array,
  index: PackIndex,
  format: ObjectFormat,
  what: string,
): Uint32Array {
  const { objectCount, packChecksum } = index
  const { idLength } = format
  if (file.length !== HEADER + 4 * objectCount + 2 * idLength)
    throw corruptChunks(what, 'its size does not fit')
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (view.getUint32(0) !== magic || view.getUint32(4) !== 1)
    throw corruptChunks(what, 'its header is unknown')
  if (view.getUint32(8) !== hashVersion(format)) throw corruptChunks(what, 'it is of another hash function')
  assertChecksum(file, format, what)
  const packAt = file.length - 2 * idLength
  if (packChecksum.some((byte, k) => byte !== file[packAt + k]))
    throw corruptChunks(what, 'it is of another pack')
  const values = new Uint32Array(objectCount)
  for (let k = 0; k < objectCount; k++) values[k] = view.getUint32(HEADER + 4 * k)
  return values
}
