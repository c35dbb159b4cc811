import type { DeltaSearchColumns } from './search-order.ts'

/** A segment has at least so many bytes of objects, if so many are left. */
const SEGMENT_BYTES = 4 << 20

/**
 * Cuts a search order into segments, each searched with a window of its own, so that several threads can search at once. Where the
 * borders are depends on the objects alone and never on the threads: what is found is the same with any number of them.
 *
 * A border stands only where the path changes: few deltas are found across that. Objects without a path may be parted anywhere.
 *
 * @returns where in the order each segment ends.
 */
export function cutSegments(
  { types, sizes, pathHashes }: DeltaSearchColumns,
  order: Uint32Array,
  segmentBytes: number = SEGMENT_BYTES,
): readonly number[] {
  const ends: number[] = []
  let bytes = 0
  for (let at = 0; at < order.length; at++) {
    const ordinal = order[at]!
    if (bytes >= segmentBytes) {
      const before = order[at - 1]!
      const path = pathHashes[ordinal]!
      if (path === 0 || path !== pathHashes[before] || types[ordinal] !== types[before]) {
        ends.push(at)
        bytes = 0
      }
    }
    bytes += sizes[ordinal]!
  }
  ends.push(order.length)
  return ends
}

/** A part of a search order, `[start, end)`. */
export interface Segment {
  readonly start: number
  readonly end: number
  /** Bytes of all its objects. */
  readonly bytes: number
  /** Bytes of the largest one. */
  readonly largest: number
}

/** Segments that nobody searches yet, those with most work first, so that all threads end at about the same time. */
export class SegmentQueue {
  readonly #waiting: Segment[] = []

  constructor(
    { order, sizes }: DeltaSearchColumns & { readonly order: Uint32Array },
    ends: readonly number[] = [order.length],
  ) {
    let start = 0
    for (const end of ends) {
      let bytes = 0
      let largest = 0
      for (let at = start; at < end; at++) {
        const size = sizes[order[at]!]!
        bytes += size
        if (size > largest) largest = size
      }
      if (end > start) this.#waiting.push({ start, end, bytes, largest })
      start = end
    }
    this.#waiting.sort((left, right) => right.bytes - left.bytes || left.start - right.start)
  }

  /** The next segment, or the next that is fit for something. */
  take(isFit: (segment: Segment) => boolean = () => true): Segment | undefined {
    const at = this.#waiting.findIndex(isFit)
    return at < 0 ? undefined : this.#waiting.splice(at, 1)[0]
  }
}
