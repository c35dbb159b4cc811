/** The row of the entry that begins at this offset, or -1. The first `count` offsets are in ascending order. */
export function findOffset(offsets: Float64Array, count: number, offset: number): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    const found = offsets[middle]!
    if (found === offset) return middle
    if (found < offset) low = middle + 1
    else high = middle
  }
  return -1
}
