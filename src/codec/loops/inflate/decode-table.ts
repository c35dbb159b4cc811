/**
 * Decode tables for deflate's Huffman codes (RFC 1951, section 3.2.2), as packed 32-bit entries.
 *
 * A table is indexed by the next `tableBits` bits of the stream. Codes longer than that continue in a subtable
 * behind the primary table. An entry is laid out so that the hot path needs few operations:
 *
 *     bit  31      literal (the entry is negative)
 *     bits 16..30  the literal's byte, the base of a length or distance, or the index where a subtable begins
 *     bit  15      exceptional: a subtable, the end of the block, or a code that means nothing
 *     bit  14      … a subtable
 *     bit  13      … the end of the block
 *     bits  8..11  length of the code itself; in a subtable pointer, the number of bits that index the subtable
 *     bits  0..4   bits to drop: code and extra bits together; in a subtable pointer, `tableBits`
 *
 * Bits 0..4 come first because a shift by the whole entry shifts by just these.
 */
import { corruptZlib } from '../../corrupt-zlib.ts'

export const EXCEPTIONAL = 0x8000
export const SUBTABLE = 0x4000
export const END_OF_BLOCK = 0x2000

/** The longest code that deflate allows, in bits. */
const MAX_CODE_LENGTH = 15

/** What to put into a table for a symbol, its code length aside. Adding `length * WITH_LENGTH` completes it. */
const WITH_LENGTH = 0x101

/** An entry for bits that are no code; a single bit is enough to tell. */
const INVALID = EXCEPTIONAL + WITH_LENGTH

/** Up to this many entries a plain loop beats the call that copies them. */
const LOOP_LIMIT = 32

const counts = /* @__PURE__ */ new Int32Array(MAX_CODE_LENGTH + 2)
const offsets = /* @__PURE__ */ new Int32Array(MAX_CODE_LENGTH + 2)
const sorted = /* @__PURE__ */ new Int32Array(320)

/** The symbols of a code that have one, as columns in ascending order: a block uses few of those that there are. */
export class CodedSymbols {
  count = 0
  readonly symbols: Uint16Array
  /** Lengths of their codes, 1 to 15. */
  readonly lengths: Uint8Array

  constructor(capacity: number) {
    this.symbols = new Uint16Array(capacity)
    this.lengths = new Uint8Array(capacity)
  }

  add(symbol: number, length: number): void {
    this.symbols[this.count] = symbol
    this.lengths[this.count++] = length
  }
}

/**
 * Builds the decode table of the code of `coded[from, to)`.
 *
 * @param maxTableBits upper limit of the primary index; fewer bits are used when no code is that long.
 * @param templates the entry of each symbol without its code length.
 * @param firstSymbol what the symbols of this code begin to count from.
 * @param mayBeIncomplete whether no code at all, or a single code of one bit, is let pass as zlib does.
 * @returns the number of bits that index the primary table.
 * @throws GitError `CORRUPT_ZLIB` when the lengths do not form a code.
 */
export function buildDecodeTable(
  table: Int32Array,
  maxTableBits: number,
  coded: CodedSymbols,
  from: number,
  to: number,
  templates: Int32Array,
  firstSymbol: number,
  mayBeIncomplete: boolean,
): number {
  const { symbols, lengths } = coded
  counts.fill(0)
  for (let k = from; k < to; k++) counts[lengths[k]!]!++

  // Kraft's sum tells whether the lengths use up the code space, in units of the longest possible code.
  let longest = 0
  let space = 1 << MAX_CODE_LENGTH
  offsets[1] = 0
  for (let length = 1; length <= MAX_CODE_LENGTH; length++) {
    const count = counts[length]!
    if (count > 0) longest = length
    space -= count << (MAX_CODE_LENGTH - length)
    offsets[length + 1] = offsets[length]! + count
  }
  if (space < 0) throw corruptZlib('a Huffman code is over-subscribed')

  // Shorter codes first, and within a length in the order of symbols: the order in which codes are assigned.
  for (let k = from; k < to; k++) sorted[offsets[lengths[k]!]!++] = templates[symbols[k]! - firstSymbol]!
  if (space > 0) {
    if (!mayBeIncomplete || longest > 1) throw corruptZlib('a Huffman code is incomplete')
    table[0] = to > from ? sorted[0]! + WITH_LENGTH : INVALID
    table[1] = INVALID
    return 1
  }

  // Codes are counted upwards with their bits reversed, because the stream delivers the first bit of a code lowest.
  // While they fit the primary table, it grows with the code length by doubling, and each is written once.
  const tableBits = Math.min(maxTableBits, longest)
  let code = 0
  let next = 0
  let filled = 1
  for (let length = 1; length <= tableBits; length++) {
    if (filled > LOOP_LIMIT) table.copyWithin(filled, 0, filled)
    else for (let k = 0; k < filled; k++) table[filled + k] = table[k]!
    filled = 1 << length
    const step = length * WITH_LENGTH
    for (let left = counts[length]!; left > 0; left--) {
      table[code] = sorted[next++]! + step
      code = nextReversedCode(code, filled)
    }
  }

  let subtable = filled
  let subtablePrefix = -1
  let subtableBits = 0
  for (let length = tableBits + 1; length <= longest; length++) {
    const step = length * WITH_LENGTH
    for (; counts[length]! > 0; counts[length]!--) {
      const prefix = code & (filled - 1)
      if (prefix !== subtablePrefix) {
        if (subtablePrefix >= 0) subtable += 1 << subtableBits
        subtablePrefix = prefix
        // As many bits as it takes for the codes that are left to fill the subtable.
        subtableBits = length - tableBits
        for (let used = counts[length]!; used < 1 << subtableBits;) {
          subtableBits++
          used = 2 * used + counts[tableBits + subtableBits]!
        }
        table[prefix] = (subtable << 16) + EXCEPTIONAL + SUBTABLE + (subtableBits << 8) + tableBits
      }
      const entry = sorted[next++]! + step
      const stride = 1 << (length - tableBits)
      for (let at = code >>> tableBits; at < 1 << subtableBits; at += stride) table[subtable + at] = entry
      code = nextReversedCode(code, 1 << length)
    }
  }
  return tableBits
}

/** Adds one to a code whose bits are reversed, `size` being two to the power of its length; the last code stays as it is. */
function nextReversedCode(code: number, size: number): number {
  const zeros = code ^ (size - 1)
  if (zeros === 0) return code
  const bit = 0x80000000 >>> Math.clz32(zeros)
  return (code & (bit - 1)) | bit
}
