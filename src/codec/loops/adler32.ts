/** The largest prime below 65536 (RFC 1950, section 8.2). */
const BASE = 65521

/** How many bytes can be summed before the second sum must be reduced to stay exact in 32 bits. */
const RUN = 3800

/** Continues the Adler-32 checksum `adler` (1 to begin) over `bytes[start, end)`. Returns a signed 32-bit value. */
export function updateAdler32(adler: number, bytes: Uint8Array, start: number, end: number): number {
  let low = adler & 0xffff
  let high = adler >>> 16
  while (start < end) {
    const stop = Math.min(start + RUN, end)
    for (const last = stop - 4; start <= last; start += 4) {
      const first = low + bytes[start]!
      const second = first + bytes[start + 1]!
      const third = second + bytes[start + 2]!
      low = third + bytes[start + 3]!
      high += first + second + third + low
    }
    for (; start < stop; start++) {
      low += bytes[start]!
      high += low
    }
    low %= BASE
    high %= BASE
  }
  return (high << 16) | low
}
