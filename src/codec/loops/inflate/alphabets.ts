/** The symbols of deflate's three alphabets as decode table entries (RFC 1951, section 3.2.5), and the fixed codes. */
import { buildDecodeTable, END_OF_BLOCK, EXCEPTIONAL } from './decode-table.ts'

const LITERAL = 0x80000000 | 0

/** 288 symbols: 256 literals, the end of the block, 29 lengths, and two that only fill up the fixed code. */
export const LITERAL_LENGTH_SYMBOLS = /* @__PURE__ */ literalLengthSymbols()

/** 32 symbols: 30 distances, and two that only fill up the fixed code. */
export const DISTANCE_SYMBOLS = /* @__PURE__ */ distanceSymbols()

/** The 19 symbols that code lengths are written in, each standing for itself. */
export const CODE_LENGTH_SYMBOLS = /* @__PURE__ */ Int32Array.from(
  { length: 19 },
  (_, symbol) => symbol << 16,
)

/** The two decode tables of one block and the number of bits that index each. */
export interface BlockTables {
  readonly literalLengths: Int32Array
  literalLengthBits: number
  readonly distances: Int32Array
  distanceBits: number
}

/** The tables of the fixed codes (section 3.2.6). */
export const FIXED_TABLES: BlockTables = /* @__PURE__ */ fixedTables()

function literalLengthSymbols(): Int32Array {
  const entries = new Int32Array(288).fill(EXCEPTIONAL)
  for (let byte = 0; byte < 256; byte++) entries[byte] = LITERAL + (byte << 16)
  entries[256] = EXCEPTIONAL + END_OF_BLOCK
  // Eight lengths of their own, then groups of four with one more extra bit each; the longest has a symbol to itself.
  let base = 3
  for (let index = 0; index < 28; index++) {
    const extra = index < 8 ? 0 : (index >> 2) - 1
    entries[257 + index] = (base << 16) + extra
    base += 1 << extra
  }
  entries[285] = 258 << 16
  return entries
}

function distanceSymbols(): Int32Array {
  const entries = new Int32Array(32).fill(EXCEPTIONAL)
  // Four distances of their own, then pairs with one more extra bit each.
  let base = 1
  for (let index = 0; index < 30; index++) {
    const extra = index < 4 ? 0 : (index >> 1) - 1
    entries[index] = (base << 16) + extra
    base += 1 << extra
  }
  return entries
}

function fixedTables(): BlockTables {
  const lengths = new Uint8Array(288)
  lengths.fill(8, 0, 144)
  lengths.fill(9, 144, 256)
  lengths.fill(7, 256, 280)
  lengths.fill(8, 280, 288)
  const literalLengths = new Int32Array(512)
  const distances = new Int32Array(32)
  return {
    literalLengths,
    literalLengthBits: buildDecodeTable(literalLengths, 9, lengths, 0, 288, LITERAL_LENGTH_SYMBOLS, false),
    distances,
    distanceBits: buildDecodeTable(distances, 5, new Uint8Array(32).fill(5), 0, 32, DISTANCE_SYMBOLS, false),
  }
}
