/** Where this offset is between two places of a column, there in ascending order, or -1. `high` is the place behind the last one. */
export function findOffset(offsets: Float64Array, offset: number, low: number, high: number): number {
  while (low < high) {
    const middle = (low + high) >>> 1
    const found = offsets[middle]!
    if (found === offset) return middle
    if (found < offset) low = middle + 1
    else high = middle
  }
  return -1
}
