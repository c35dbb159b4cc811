/** How many bytes, at most `limit`, are equal from `left[leftAt]` and `right[rightAt]` onwards. */
export function commonForward(
  left: DataView,
  leftAt: number,
  right: DataView,
  rightAt: number,
  limit: number,
): number {
  let length = 0
  const words = limit - 3
  while (length < words && left.getInt32(leftAt + length, true) === right.getInt32(rightAt + length, true)) {
    length += 4
  }
  while (length < limit && left.getUint8(leftAt + length) === right.getUint8(rightAt + length)) length++
  return length
}

/** How many bytes, at most `limit`, are equal in front of `left[leftEnd]` and `right[rightEnd]`. */
export function commonBackward(
  left: DataView,
  leftEnd: number,
  right: DataView,
  rightEnd: number,
  limit: number,
): number {
  let length = 0
  const words = limit - 3
  while (
    length < words &&
    left.getInt32(leftEnd - length - 4, true) === right.getInt32(rightEnd - length - 4, true)
  ) {
    length += 4
  }
  while (length < limit && left.getUint8(leftEnd - length - 1) === right.getUint8(rightEnd - length - 1)) {
    length++
  }
  return length
}
