/** Orders two byte strings as memcmp does, the shorter first when one is a prefix of the other. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at++) {
    const difference = left[at]! - right[at]!
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/** Orders `left[leftAt, leftAt+length)` against `right[rightAt, rightAt+length)` as memcmp does. */
export function compareRanges(
  left: Uint8Array,
  leftAt: number,
  right: Uint8Array,
  rightAt: number,
  length: number,
): number {
  for (let at = 0; at < length; at++) {
    const difference = left[leftAt + at]! - right[rightAt + at]!
    if (difference !== 0) return difference
  }
  return 0
}

/** Tells whether two byte strings are equal. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && compareRanges(left, 0, right, 0, left.length) === 0
}
