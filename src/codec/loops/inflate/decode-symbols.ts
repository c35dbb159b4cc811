import { corruptZlib } from '../../corrupt-zlib.ts'
import { END_OF_BLOCK, EXCEPTIONAL, SUBTABLE } from './decode-table.ts'
import type { InflateState } from './inflate-state.ts'

/** How far ahead of `pos` one round of the loop may read: three loads of four bytes, each three bytes on at most. */
const READ_AHEAD = 10

/** From this length on a copy by the runtime is faster than a loop over bytes. */
const BULK_COPY = 16

/**
 * Decodes the symbols of a block for as long as a whole round of loads lies within the input, which leaves nothing to
 * check but the output's end.
 *
 * A load ORs four bytes above the `bits` bits in `hold` and counts only as many as fit whole, 24 to 31 bits; those above
 * are right as well and are ORed with themselves next time. So `hold` has 32 good bits just after a load.
 *
 * @returns true when the block has ended; false when the input is nearly used up or the output full, and the bit
 * position is at the beginning of a symbol.
 * @throws GitError `CORRUPT_ZLIB`
 */
export function decodeSymbols(state: InflateState): boolean {
  const { view, out, outStart, outEnd, tables } = state
  const { literalLengths, distances } = tables
  const literalLengthMask = (1 << tables.literalLengthBits) - 1
  const distanceMask = (1 << tables.distanceBits) - 1
  const lastLoad = state.end - READ_AHEAD
  let { pos, hold, bits, at } = state
  let ended = false

  while (pos <= lastLoad) {
    hold |= view.getInt32(pos, true) << bits
    pos += (31 - bits) >> 3
    bits |= 24
    let entry = literalLengths[hold & literalLengthMask]!

    if (entry < 0) {
      if (at >= outEnd) break
      out[at++] = entry >>> 16
      hold >>>= entry
      bits -= entry & 31
      // At least 24 - 11 bits are left: enough to look up a second symbol, and to take it if it is a literal.
      entry = literalLengths[hold & literalLengthMask]!
      if (entry < 0) {
        if (at >= outEnd) break
        out[at++] = entry >>> 16
        hold >>>= entry
        bits -= entry & 31
        continue
      }
      hold |= view.getInt32(pos, true) << bits
      pos += (31 - bits) >> 3
      bits |= 24
    }

    if ((entry & EXCEPTIONAL) !== 0) {
      if ((entry & SUBTABLE) !== 0) {
        entry = literalLengths[(entry >>> 16) + ((hold >>> entry) & ~(-1 << (entry >>> 8)))]!
        if (entry < 0) {
          if (at >= outEnd) break
          out[at++] = entry >>> 16
          hold >>>= entry
          bits -= entry & 31
          continue
        }
      }
      if ((entry & EXCEPTIONAL) !== 0) {
        if ((entry & END_OF_BLOCK) === 0) throw corruptZlib('a literal or length code means nothing')
        hold >>>= entry
        bits -= entry & 31
        ended = true
        break
      }
    }

    const symbolPos = pos
    const symbolHold = hold
    const symbolBits = bits
    let length = (entry >>> 16) + ((hold & ~(-1 << entry)) >>> ((entry >>> 8) & 15))
    hold >>>= entry
    bits -= entry & 31

    hold |= view.getInt32(pos, true) << bits
    pos += (31 - bits) >> 3
    bits |= 24
    entry = distances[hold & distanceMask]!
    if ((entry & EXCEPTIONAL) !== 0) {
      if ((entry & SUBTABLE) !== 0) {
        entry = distances[(entry >>> 16) + ((hold >>> entry) & ~(-1 << (entry >>> 8)))]!
      }
      if ((entry & EXCEPTIONAL) !== 0) throw corruptZlib('a distance code means nothing')
    }
    const distance = (entry >>> 16) + ((hold & ~(-1 << entry)) >>> ((entry >>> 8) & 15))
    hold >>>= entry
    bits -= entry & 31
    if (bits < 0) {
      // Code and extra bits were up to 28, of which the last are in the byte that was loaded but not counted.
      bits += 8
      pos++
    }

    if (distance > at - outStart)
      throw corruptZlib(`a match reaches ${distance} bytes back, before the beginning`)
    if (length > outEnd - at) {
      pos = symbolPos
      hold = symbolHold
      bits = symbolBits
      break
    }
    if (length >= BULK_COPY && distance >= length) {
      out.copyWithin(at, at - distance, at - distance + length)
      at += length
    } else if (length >= BULK_COPY && distance === 1) {
      out.fill(out[at - 1]!, at, at + length)
      at += length
    } else {
      for (let from = at - distance; length > 0; length--) out[at++] = out[from++]!
    }
  }

  state.pos = pos
  state.hold = hold & ~(-1 << bits)
  state.bits = bits
  state.at = at
  return ended
}
