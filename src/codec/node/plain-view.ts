/** Views `bytes[start, end)` as a plain Uint8Array, whatever subclass `bytes` is. */
export function plainView(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start)
}

/** Turns what node returned into a plain array, copied if it would keep a buffer alive of more than twice its size. */
export function trimmed(bytes: Uint8Array): Uint8Array {
  return 2 * bytes.length < bytes.buffer.byteLength
    ? new Uint8Array(bytes)
    : plainView(bytes, 0, bytes.length)
}
