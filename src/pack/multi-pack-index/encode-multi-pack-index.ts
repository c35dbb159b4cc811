import { compareBytes, compareRanges } from '../../bytes/compare.ts'
import { concatBytes } from '../../bytes/concat.ts'
import { encodeUtf8 } from '../../bytes/text.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import { encodeChunkFile, hashVersion, type Chunk } from '../chunk-file.ts'
import type { PackIndex } from '../pack-index.ts'
import { MIDX_MAGIC } from './multi-pack-index.ts'

/** A pack to be indexed together with others. */
export interface IndexedPack {
  /** `pack-<checksum>` */
  readonly name: string
  readonly index: PackIndex
  /** Of an object that several packs have, the copy in the one that was written last counts. */
  readonly modified: number
}

const LARGE_OFFSET = 0x80000000

/** Encodes one index over all objects of the given packs, byte for byte the one that git writes. */
export function encodeMultiPackIndex(
  packs: readonly IndexedPack[],
  format: ObjectFormat,
): Uint8Array<ArrayBuffer> {
  const { idLength } = format
  const sorted = packs
    .map((pack) => ({ ...pack, file: encodeUtf8(`${pack.name}.idx`) }))
    .sort((left, right) => compareBytes(left.file, right.file))
  const total = sorted.reduce((sum, { index }) => sum + index.objectCount, 0)
  const ids = new Uint8Array(total * idLength)
  const packOf = new Uint32Array(total)
  const offsets = new Float64Array(total)
  const fanout = new DataView(new ArrayBuffer(1024))
  let count = 0
  let largest = 0
  // A merge of lists that are in order: the next rank of each pack, the smallest id first.
  const next = sorted.map(() => 0)
  for (;;) {
    let best = -1
    for (let pack = 0; pack < sorted.length; pack++) {
      const { index, modified } = sorted[pack]!
      if (next[pack]! >= index.objectCount) continue
      if (best < 0) {
        best = pack
        continue
      }
      const other = sorted[best]!
      const order = compareRanges(
        index.bytes,
        index.idAt(next[pack]!),
        other.index.bytes,
        other.index.idAt(next[best]!),
        idLength,
      )
      if (order < 0) {
        best = pack
      } else if (order === 0) {
        if (modified > other.modified) {
          next[best]!++
          best = pack
        } else {
          next[pack]!++
        }
      }
    }
    if (best < 0) break
    const { index } = sorted[best]!
    const rank = next[best]!++
    const id = index.id(rank)
    ids.set(id, count * idLength)
    packOf[count] = best
    offsets[count] = index.offset(rank)
    largest = Math.max(largest, offsets[count]!)
    fanout.setUint32(4 * id[0]!, ++count)
  }
  for (let k = 1; k < 256; k++)
    if (fanout.getUint32(4 * k) === 0) fanout.setUint32(4 * k, fanout.getUint32(4 * (k - 1)))

  const needsLarge = largest > 0xffffffff
  const places = new DataView(new ArrayBuffer(8 * count))
  const large: bigint[] = []
  for (let k = 0; k < count; k++) {
    const offset = offsets[k]!
    places.setUint32(8 * k, packOf[k]!)
    if (needsLarge && offset >= LARGE_OFFSET)
      places.setUint32(8 * k + 4, LARGE_OFFSET + large.push(BigInt(offset)) - 1)
    else places.setUint32(8 * k + 4, offset)
  }
  const chunks: Chunk[] = [
    { id: 'PNAM', bytes: encodeNames(sorted.map(({ file }) => file)) },
    { id: 'OIDF', bytes: new Uint8Array(fanout.buffer) },
    { id: 'OIDL', bytes: ids.subarray(0, count * idLength) },
    { id: 'OOFF', bytes: new Uint8Array(places.buffer) },
  ]
  if (needsLarge) {
    const table = new DataView(new ArrayBuffer(8 * large.length))
    large.forEach((offset, k) => {
      table.setBigUint64(8 * k, offset)
    })
    chunks.push({ id: 'LOFF', bytes: new Uint8Array(table.buffer) })
  }
  const header = new Uint8Array(12)
  const view = new DataView(header.buffer)
  view.setUint32(0, MIDX_MAGIC)
  header.set([1, hashVersion(format), chunks.length, 0], 4)
  view.setUint32(8, sorted.length)
  return encodeChunkFile(header, chunks, format)
}

/** Names ended by NUL, padded to a multiple of four bytes. */
function encodeNames(files: readonly Uint8Array[]): Uint8Array {
  const names = concatBytes(files.flatMap((file) => [file, Uint8Array.of(0)]))
  const padded = new Uint8Array((names.length + 3) & ~3)
  padded.set(names)
  return padded
}
