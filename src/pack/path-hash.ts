/*
 * The hash by which delta search puts objects of like names side by side (gitformat-pack, "pack-*.bitmap", calls it the name-hash):
 * the last sixteen bytes of a path count, the last ones most. Whitespace does not count.
 */

/** The hash of the empty path, which is that of a root tree. */
export const ROOT_PATH_HASH = 0

const SLASH = 0x2f

/** Goes on from the hash of a path's beginning over `bytes[start, end)`; an unsigned 32-bit number. */
export function extendPathHash(hash: number, bytes: Uint8Array, start: number, end: number): number {
  let value = hash
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d) continue
    value = ((value >>> 2) + (byte << 24)) >>> 0
  }
  return value
}

/** From the hash of a directory's path to what the hashes of the paths in it go on from. */
export function enterDirectory(hash: number): number {
  return ((hash >>> 2) + (SLASH << 24)) >>> 0
}
