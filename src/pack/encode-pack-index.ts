import { compareRanges } from '../bytes/compare.ts'
import type { ObjectFormat } from '../object/object-format.ts'

/** The entries of a pack as columns, one row per object, in any order. */
export interface PackEntryColumns {
  readonly objectCount: number
  /** Raw ids side by side. */
  readonly ids: Uint8Array
  readonly crcs: Uint32Array
  readonly offsets: Float64Array
}

/** Offsets from here on need the table of 64-bit offsets. */
const LARGE_OFFSET = 0x80000000

/**
 * Encodes a version 2 `.idx` file (gitformat-pack), byte for byte what git writes for the same pack.
 *
 * @param packChecksum the raw trailer of the pack.
 */
export function encodePackIndex(
  entries: PackEntryColumns,
  packChecksum: Uint8Array,
  format: ObjectFormat,
): Uint8Array<ArrayBuffer> {
  const { objectCount, ids, crcs, offsets } = entries
  const { idLength } = format
  const order = sortById(ids, objectCount, idLength)
  let large = 0
  for (let k = 0; k < objectCount; k++) if (offsets[k]! >= LARGE_OFFSET) large++

  const size = 8 + 1024 + objectCount * (idLength + 8) + 8 * large + 2 * idLength
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  const idView = new DataView(ids.buffer, ids.byteOffset, ids.byteLength)
  view.setUint32(0, 0xff744f63)
  view.setUint32(4, 2)

  const counts = new Uint32Array(256)
  for (let k = 0; k < objectCount; k++) counts[ids[k * idLength]!]!++
  let total = 0
  for (let k = 0; k < 256; k++) {
    total += counts[k]!
    view.setUint32(8 + 4 * k, total)
  }

  let idAt = 8 + 1024
  let crcAt = idAt + objectCount * idLength
  let offsetAt = crcAt + 4 * objectCount
  let largeAt = offsetAt + 4 * objectCount
  let nextLarge = 0
  for (let k = 0; k < objectCount; k++) {
    const entry = order[k]!
    const from = entry * idLength
    // Ids are whole words long.
    for (let b = 0; b < idLength; b += 4) view.setUint32(idAt + b, idView.getUint32(from + b))
    idAt += idLength
    view.setUint32(crcAt, crcs[entry]!)
    crcAt += 4
    const offset = offsets[entry]!
    if (offset < LARGE_OFFSET) {
      view.setUint32(offsetAt, offset)
    } else {
      view.setUint32(offsetAt, LARGE_OFFSET + nextLarge++)
      view.setUint32(largeAt, Math.floor(offset / 0x100000000))
      view.setUint32(largeAt + 4, offset % 0x100000000)
      largeAt += 8
    }
    offsetAt += 4
  }
  bytes.set(packChecksum, size - 2 * idLength)
  format.hash.digestRangeInto(bytes, 0, size - idLength, bytes, size - idLength)
  return bytes
}

/** Below so many rows, going through the 65536 counters of a pass of 16 bits would take longer than the rows. */
const MANY_ROWS = 1 << 16

/**
 * Rows in id order: a radix sort on the first bits, in passes of 16 bits or of 8, then an insertion sort of the few that tie.
 * Equal ids keep the order they came in.
 */
function sortById(ids: Uint8Array, count: number, idLength: number): Uint32Array {
  let from = new Uint32Array(count)
  let to = new Uint32Array(count)
  for (let k = 0; k < count; k++) from[k] = k
  const width = count < MANY_ROWS ? 1 : 2
  const passes = count < MANY_ROWS ? 3 : 2
  for (let pass = passes - 1; pass >= 0; pass--) {
    sortPass(from, to, ids, idLength, width * pass, width)
    const swap = from
    from = to
    to = swap
  }
  for (let k = 1; k < count; k++) {
    const entry = from[k]!
    let hole = k
    while (hole > 0 && compareRanges(ids, from[hole - 1]! * idLength, ids, entry * idLength, idLength) > 0) {
      from[hole] = from[hole - 1]!
      hole--
    }
    from[hole] = entry
  }
  return from
}

/** One stable pass: the rows of `from` in the order of the digit of `width` bytes at `byteAt` of their ids. */
function sortPass(
  from: Uint32Array,
  to: Uint32Array,
  ids: Uint8Array,
  idLength: number,
  byteAt: number,
  width: number,
): void {
  const starts = new Uint32Array((1 << (8 * width)) + 1)
  const shift = width === 2 ? 8 : 0
  const low = byteAt + width - 1
  for (let at = 0; at < from.length * idLength; at += idLength) {
    starts[((ids[at + byteAt]! << shift) | ids[at + low]!) + 1]!++
  }
  for (let k = 1; k < starts.length; k++) starts[k]! += starts[k - 1]!
  for (let k = 0; k < from.length; k++) {
    const entry = from[k]!
    const at = entry * idLength
    to[starts[(ids[at + byteAt]! << shift) | ids[at + low]!]!++] = entry
  }
}
