import { GitError } from '../errors.ts'
import type { ObjectFormat } from '../object/object-format.ts'

/*
 * The frame that the commit-graph and the multi-pack-index share (gitformat-chunk):
 *   header | (C + 1) x (u32 chunk id, u64 offset), the last with id 0 and the end of the last chunk | chunks | checksum over all before it
 */
const ROW = 12

/** A chunk by the four letters of its id. */
export interface Chunk {
  readonly id: string
  readonly bytes: Uint8Array
}

/** Encodes a file of chunks, in the given order, with its checksum. The header says itself how many chunks there are. */
export function encodeChunkFile(
  header: Uint8Array,
  chunks: readonly Chunk[],
  format: ObjectFormat,
): Uint8Array<ArrayBuffer> {
  let at = header.length + ROW * (chunks.length + 1)
  const size = chunks.reduce((sum, chunk) => sum + chunk.bytes.length, at) + format.idLength
  const file = new Uint8Array(size)
  const view = new DataView(file.buffer)
  file.set(header)
  let rowAt = header.length
  for (const { id, bytes } of chunks) {
    for (let k = 0; k < 4; k++) file[rowAt + k] = id.charCodeAt(k)
    view.setBigUint64(rowAt + 4, BigInt(at))
    file.set(bytes, at)
    rowAt += ROW
    at += bytes.length
  }
  view.setBigUint64(rowAt + 4, BigInt(at))
  format.hash.digestRangeInto(file, 0, at, file, at)
  return file
}

/**
 * Reads the table of contents at `tableAt` and checks the checksum.
 *
 * @param what the kind of file, for messages.
 * @returns views of the chunks by id.
 * @throws GitError `CORRUPT_INDEX`
 */
export function parseChunks(
  file: Uint8Array,
  tableAt: number,
  chunkCount: number,
  format: ObjectFormat,
  what: string,
): ReadonlyMap<string, Uint8Array> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const checksumAt = file.length - format.idLength
  if (tableAt + ROW * (chunkCount + 1) > checksumAt) throw corruptChunks(what, 'its table is cut short')
  assertChecksum(file, format, what)
  const chunks = new Map<string, Uint8Array>()
  let from = Number(view.getBigUint64(tableAt + 4))
  for (let k = 0; k < chunkCount; k++) {
    const rowAt = tableAt + ROW * k
    const to = Number(view.getBigUint64(rowAt + ROW + 4))
    if (from > to || to > checksumAt) throw corruptChunks(what, 'a chunk is out of its bounds')
    chunks.set(String.fromCharCode(...file.subarray(rowAt, rowAt + 4)), file.subarray(from, to))
    from = to
  }
  return chunks
}

/** @throws GitError `CORRUPT_INDEX` unless the file ends with the checksum of what stands before it. */
export function assertChecksum(file: Uint8Array, format: ObjectFormat, what: string): void {
  const at = file.length - format.idLength
  if (at < 0) throw corruptChunks(what, 'it is cut short')
  const found = new Uint8Array(format.idLength)
  format.hash.digestRangeInto(file, 0, at, found, 0)
  if (found.some((byte, k) => byte !== file[at + k])) throw corruptChunks(what, 'its checksum is wrong')
}

/** The byte by which derived files name the hash function. */
export function hashVersion(format: ObjectFormat): number {
  return format.name === 'sha1' ? 1 : 2
}

/** The error for a derived file that cannot be used. */
export function corruptChunks(what: string, how: string): GitError {
  return new GitError('CORRUPT_INDEX', `${what} is corrupt: ${how}; delete it, it can be written again`)
}
