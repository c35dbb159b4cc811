import { corruptZlib } from '../../corrupt-zlib.ts'
import { CODE_LENGTH_ORDER } from '../deflate-symbols.ts'
import { CODE_LENGTH_SYMBOLS, DISTANCE_SYMBOLS, LITERAL_LENGTH_SYMBOLS } from './alphabets.ts'
import { buildDecodeTable, CodedSymbols } from './decode-table.ts'
import type { InflateState } from './inflate-state.ts'

/** The longest code of the code length code, and the width of its table. */
const CODE_LENGTH_BITS = 7

const codeLengthLengths = /* @__PURE__ */ new Uint8Array(19)
const codeLengthTable = /* @__PURE__ */ new Int32Array(1 << CODE_LENGTH_BITS)
const codeLengthCodes = /* @__PURE__ */ new CodedSymbols(19)
/** Room for 286 + 30 codes: literals and lengths, and behind them distances. */
const codes = /* @__PURE__ */ new CodedSymbols(320)

/**
 * Reads the codes of a dynamic block (RFC 1951, section 3.2.7) and builds `state.dynamic` from them.
 *
 * @param literalLengthBits the widest index to use for literals and lengths: wider is faster to use, slower to build.
 * @returns false when the input ends first; the bit position is then undefined and the caller goes back to where it was.
 * @throws GitError `CORRUPT_ZLIB`
 */
export function readDynamicHeader(state: InflateState, literalLengthBits: number): boolean {
  if (!state.hasBits(14)) return false
  const literalLengthCount = state.takeBits(5) + 257
  const distanceCount = state.takeBits(5) + 1
  const codeLengthCount = state.takeBits(4) + 4
  if (literalLengthCount > 286)
    throw corruptZlib(`a block has ${literalLengthCount} literal and length codes`)
  if (distanceCount > 30) throw corruptZlib(`a block has ${distanceCount} distance codes`)

  if (!readCodeLengthCodes(state, codeLengthCount)) return false
  const width = buildDecodeTable(
    codeLengthTable,
    CODE_LENGTH_BITS,
    codeLengthCodes,
    0,
    codeLengthCodes.count,
    CODE_LENGTH_SYMBOLS,
    0,
    false,
  )
  if (!readCodes(state, width, literalLengthCount + distanceCount)) return false

  const { symbols, count } = codes
  let split = count
  while (split > 0 && symbols[split - 1]! >= literalLengthCount) split--
  let endOfBlock = split - 1
  while (endOfBlock >= 0 && symbols[endOfBlock]! > 256) endOfBlock--
  if (endOfBlock < 0 || symbols[endOfBlock] !== 256) throw corruptZlib('a block has no code for its end')

  const tables = state.dynamic
  tables.literalLengthBits = buildDecodeTable(
    tables.literalLengths,
    literalLengthBits,
    codes,
    0,
    split,
    LITERAL_LENGTH_SYMBOLS,
    0,
    true,
  )
  tables.distanceBits = buildDecodeTable(
    tables.distances,
    8,
    codes,
    split,
    count,
    DISTANCE_SYMBOLS,
    literalLengthCount,
    true,
  )
  state.tables = tables
  return true
}

/** Reads the code that code lengths are written in into `codeLengthCodes`. */
function readCodeLengthCodes(state: InflateState, count: number): boolean {
  codeLengthLengths.fill(0)
  for (let index = 0; index < count; index++) {
    if (!state.hasBits(3)) return false
    codeLengthLengths[CODE_LENGTH_ORDER[index]!] = state.takeBits(3)
  }
  codeLengthCodes.count = 0
  for (let symbol = 0; symbol < 19; symbol++) {
    const length = codeLengthLengths[symbol]!
    if (length > 0) codeLengthCodes.add(symbol, length)
  }
  return true
}

/** Reads `total` code lengths, which may be run-length encoded, into `codes`. */
function readCodes(state: InflateState, width: number, total: number): boolean {
  const { input, view, end } = state
  const mask = (1 << width) - 1
  let { pos, hold, bits } = state
  let at = 0
  let length = 0
  codes.count = 0
  while (at < total) {
    // A code and its extra bits take 14 bits at most.
    if (bits < 16) {
      if (pos + 4 <= end) {
        hold |= view.getInt32(pos, true) << bits
        pos += (31 - bits) >> 3
        bits |= 24
      } else {
        for (; bits < 16 && pos < end; bits += 8) hold |= input[pos++]! << bits
      }
    }
    const entry = codeLengthTable[hold & mask]!
    const codeLength = entry & 31
    const symbol = entry >>> 16
    if (symbol < 16) {
      if (codeLength > bits) return false
      hold >>>= codeLength
      bits -= codeLength
      length = symbol
      if (length > 0) codes.add(at, length)
      at++
      continue
    }
    const extra = symbol === 16 ? 2 : symbol === 17 ? 3 : 7
    if (codeLength + extra > bits) return false
    const repeat = ((hold >>> codeLength) & ((1 << extra) - 1)) + (symbol === 18 ? 11 : 3)
    hold >>>= codeLength + extra
    bits -= codeLength + extra
    if (symbol === 16 && at === 0) throw corruptZlib('a block repeats a code length before the first')
    if (at + repeat > total) throw corruptZlib('a block repeats a code length past the last')
    if (symbol > 16) length = 0
    if (length > 0) for (let k = 0; k < repeat; k++) codes.add(at + k, length)
    at += repeat
  }
  state.pos = pos
  state.hold = hold & ~(-1 << bits)
  state.bits = bits
  return true
}
