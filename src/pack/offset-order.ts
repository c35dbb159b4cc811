import { findOffset } from './find-offset.ts'

/** Entries to a place of the table that says where to look for an offset, on average. */
const ENTRIES_A_PLACE = 8
/** The widest and narrowest digits that offsets are sorted by. */
const MOST_DIGIT_BITS = 13
const LEAST_DIGIT_BITS = 4
const WORD = 0x100000000

/** The entries of a pack in the order of their offsets: 12.5 bytes for each. */
export class OffsetOrder {
  /** Ranks in the order of offsets, and of ranks where these are equal. */
  readonly ranks: Uint32Array
  /** The offsets, ascending. */
  readonly offsets: Float64Array
  /** By the upper part of an offset: the position of the first entry whose offset has that part or a greater one. */
  readonly #places: Uint32Array
  /** What takes the upper part of an offset, a power of two. */
  readonly #scale: number

  /** @param offsets those of the entries by rank, integers from 0 to 2^53 - 1. */
  constructor(offsets: Float64Array) {
    const count = offsets.length
    this.ranks = sortRanks(offsets)
    this.offsets = new Float64Array(count)
    for (let position = 0; position < count; position++) {
      this.offsets[position] = offsets[this.ranks[position]!]!
    }
    const most = Math.ceil(count / ENTRIES_A_PLACE)
    const end = (this.offsets[count - 1] ?? 0) + 1
    let scale = 1
    while (end * scale > most && scale > 2 ** -53) scale /= 2
    this.#scale = scale
    const places = new Uint32Array(Math.floor(end * scale) + 2)
    let place = 0
    for (let position = 0; position < count; position++) {
      const last = Math.floor(this.offsets[position]! * scale)
      while (place <= last) places[place++] = position
    }
    places.fill(count, place)
    this.#places = places
  }

  /** The position of the entry at this offset, or -1 when none begins there. */
  positionOf(offset: number): number {
    const place = Math.floor(offset * this.#scale)
    if (!(place >= 0 && place + 1 < this.#places.length)) return -1
    return findOffset(this.offsets, offset, this.#places[place]!, this.#places[place + 1]!)
  }
}

function sortRanks(offsets: Float64Array): Uint32Array {
  let most = 0
  for (const offset of offsets) if (offset > most) most = offset
  const ranks = new Uint32Array(offsets.length)
  for (let rank = 0; rank < ranks.length; rank++) ranks[rank] = rank
  const sorted = sortByDigits(ranks, new Uint32Array(offsets), Math.min(most, WORD - 1))
  if (most < WORD) return sorted
  const high = new Uint32Array(offsets.map((offset) => Math.floor(offset / WORD)))
  return sortByDigits(sorted, high, Math.floor(most / WORD))
}

/** Sorts ranks by their keys, digit by digit from the lowest on; what has equal keys stays in order. Uses up `ranks`. */
function sortByDigits(ranks: Uint32Array, keys: Uint32Array, largestKey: number): Uint32Array {
  const count = ranks.length
  const bits = 32 - Math.clz32(largestKey)
  const widest = Math.min(MOST_DIGIT_BITS, Math.max(LEAST_DIGIT_BITS, 32 - Math.clz32(count)))
  const width = Math.ceil(bits / Math.ceil(bits / widest))
  const mask = (1 << width) - 1
  const starts = new Uint32Array(mask + 2)
  let from = ranks
  let to: Uint32Array = new Uint32Array(count)
  for (let shift = 0; shift < bits; shift += width) {
    starts.fill(0)
    for (let k = 0; k < count; k++) starts[((keys[k]! >>> shift) & mask) + 1]!++
    for (let digit = 0; digit <= mask; digit++) starts[digit + 1]! += starts[digit]!
    for (let k = 0; k < count; k++) {
      const rank = from[k]!
      to[starts[(keys[rank]! >>> shift) & mask]!++] = rank
    }
    const sorted = to
    to = from
    from = sorted
  }
  return from
}
