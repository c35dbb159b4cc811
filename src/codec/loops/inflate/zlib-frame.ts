import { corruptZlib } from '../../corrupt-zlib.ts'

/** Length of the header that precedes the deflate data in a zlib stream. */
export const HEADER_LENGTH = 2

/** Length of the Adler-32 checksum that follows the deflate data. */
export const TRAILER_LENGTH = 4

/**
 * Checks the two header bytes of a zlib stream (RFC 1950, section 2.2).
 *
 * @throws GitError `CORRUPT_ZLIB`
 */
export function assertZlibHeader(cmf: number, flags: number): void {
  if (((cmf << 8) | flags) % 31 !== 0) throw corruptZlib('its header does not check')
  if ((cmf & 15) !== 8) throw corruptZlib(`it uses compression method ${cmf & 15}, not 8`)
  if (cmf >>> 4 > 7) throw corruptZlib('its window is larger than 32768 bytes')
  if ((flags & 32) !== 0) throw corruptZlib('it asks for a preset dictionary')
}

/**
 * Checks the Adler-32 checksum stored at `input[at, at + 4)` against that of the output.
 *
 * @throws GitError `CORRUPT_ZLIB`
 */
export function assertAdler32(input: Uint8Array, at: number, computed: number): void {
  const stored = (input[at]! << 24) | (input[at + 1]! << 16) | (input[at + 2]! << 8) | input[at + 3]!
  if (stored !== computed) throw corruptZlib('its checksum does not match its output')
}
