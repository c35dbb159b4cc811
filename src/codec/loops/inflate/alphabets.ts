/** The symbols of deflate's three alphabets as decode table entries, and the tables of the fixed codes. */
import {
  DISTANCE_BASE,
  DISTANCE_EXTRA,
  FIXED_DISTANCE_LENGTHS,
  FIXED_LITERAL_LENGTHS,
  LENGTH_BASE,
  LENGTH_EXTRA,
} from '../deflate-symbols.ts'
import { buildDecodeTable, CodedSymbols, END_OF_BLOCK, EXCEPTIONAL } from './decode-table.ts'

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
  LENGTH_BASE.forEach((base, index) => (entries[257 + index] = (base << 16) + LENGTH_EXTRA[index]!))
  return entries
}

function distanceSymbols(): Int32Array {
  const entries = new Int32Array(32).fill(EXCEPTIONAL)
  DISTANCE_BASE.forEach((base, index) => (entries[index] = (base << 16) + DISTANCE_EXTRA[index]!))
  return entries
}

function fixedTables(): BlockTables {
  const literalLengths = new Int32Array(512)
  const distances = new Int32Array(32)
  return {
    literalLengths,
    literalLengthBits: fixedTable(literalLengths, 9, FIXED_LITERAL_LENGTHS, LITERAL_LENGTH_SYMBOLS),
    distances,
    distanceBits: fixedTable(distances, 5, FIXED_DISTANCE_LENGTHS, DISTANCE_SYMBOLS),
  }
}

function fixedTable(table: Int32Array, bits: number, lengths: Uint8Array, templates: Int32Array): number {
  const coded = new CodedSymbols(lengths.length)
  lengths.forEach((length, symbol) => {
    coded.add(symbol, length)
  })
  return buildDecodeTable(table, bits, coded, 0, coded.count, templates, 0, false)
}
