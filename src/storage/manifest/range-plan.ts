import type { ByteRange } from '../stored-file.ts'

/** Ranges with at most so many bytes between them are read as one: a request costs more than those bytes. */
export const GAP = 256 << 10
/** The most bytes of one request. */
export const MAX_REQUEST = 8 << 20
/** What one request should bring those who read in leaps: more would save requests, and take several times as much of memory. */
export const LEAP_REQUEST = 4 << 20

/**
 * Plans the requests for ranges: neighbours are read together, long ones in pieces. Empty ranges need none.
 *
 * @returns in order of offset, not overlapping.
 */
export function planReads(ranges: readonly ByteRange[]): readonly ByteRange[] {
  const sorted = ranges.filter(({ length }) => length > 0).sort((left, right) => left.offset - right.offset)
  const reads: ByteRange[] = []
  let from = 0
  let to = 0
  const close = (): void => {
    for (; from < to; from += MAX_REQUEST)
      reads.push({ offset: from, length: Math.min(MAX_REQUEST, to - from) })
  }
  for (const { offset, length } of sorted) {
    // A gap is not worth it where the request would become two.
    if (to > from && offset - to <= GAP && (offset <= to || offset + length - from <= MAX_REQUEST)) {
      to = Math.max(to, offset + length)
    } else {
      close()
      from = offset
      to = offset + length
    }
  }
  close()
  return reads
}

/** Cuts ranges out of what planned requests answered. Every array is a new one. */
export function cutRanges(
  ranges: readonly ByteRange[],
  reads: readonly ByteRange[],
  answers: readonly Uint8Array[],
): Uint8Array[] {
  return ranges.map(({ offset, length }) => {
    const result = new Uint8Array(length)
    const end = offset + length
    for (let at = lastFrom(reads, offset); length > 0 && at < reads.length; at++) {
      const read = reads[at]!
      if (read.offset >= end) break
      const from = Math.max(offset, read.offset)
      const to = Math.min(end, read.offset + read.length)
      if (from < to) result.set(answers[at]!.subarray(from - read.offset, to - read.offset), from - offset)
    }
    return result
  })
}

/** The last read that begins at or before an offset, or the first. */
function lastFrom(reads: readonly ByteRange[], offset: number): number {
  let low = 0
  let high = reads.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (reads[middle]!.offset <= offset) low = middle + 1
    else high = middle
  }
  return Math.max(0, low - 1)
}
