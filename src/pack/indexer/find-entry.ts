import type { Codecs } from '../../codec/ports.ts'
import { isGitError } from '../../errors.ts'
import { EntryHeader, MAX_EXPANSION } from '../entry-header.ts'

/** Larger entries are not looked for: what is no entry may claim any size. */
const LARGEST_FOUND = 1 << 24

/** The low bits of the first byte of a zlib stream: deflate. The two first bytes are a multiple of 31 (RFC 1950, section 2.2). */
const DEFLATE = 8

/**
 * Finds the first place in `pack[from, to)` where an entry seems to begin: something that is like the header of one, with a sound zlib
 * stream of the right size behind it. Only who reads the entries in front of it knows whether it is one, because an object may hold a pack.
 *
 * @returns -1 when there is none.
 */
export function findEntry(
  pack: Uint8Array,
  from: number,
  to: number,
  entriesEnd: number,
  idLength: number,
  codecs: Codecs,
): number {
  const header = new EntryHeader()
  let out = new Uint8Array(1 << 12)
  for (let at = from; at < to; at++) {
    const type = (pack[at]! >> 4) & 7
    if (type === 0 || type === 5) continue
    try {
      if (!header.parse(pack, at, entriesEnd, idLength)) continue
      const { size, dataAt } = header
      if (dataAt + 2 > entriesEnd || (pack[dataAt]! & 15) !== DEFLATE) continue
      if ((256 * pack[dataAt]! + pack[dataAt + 1]!) % 31 !== 0) continue
      if (size > Math.min(LARGEST_FOUND, MAX_EXPANSION * (entriesEnd - dataAt))) continue
      if (size > out.length) out = new Uint8Array(2 * size)
      if (codecs.inflate.inflateInto(pack, dataAt, entriesEnd, out, 0, size) >= 0) return at
    } catch (error) {
      if (!isGitError(error)) throw error
    }
  }
  return -1
}
