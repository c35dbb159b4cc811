import { corruptZlib } from '../../corrupt-zlib.ts'
import { CODE_LENGTH_ORDER } from '../deflate-symbols.ts'
import { CODE_LENGTH_SYMBOLS, DISTANCE_SYMBOLS, LITERAL_LENGTH_SYMBOLS } from './alphabets.ts'
import { buildDecodeTable } from './decode-table.ts'
import type { InflateState } from './inflate-state.ts'

/** The longest code of the code length code, and the width of its table. */
const CODE_LENGTH_BITS = 7

const codeLengthLengths = /* @__PURE__ */ new Uint8Array(19)
const codeLengthTable = /* @__PURE__ */ new Int32Array(1 << CODE_LENGTH_BITS)
/** Room for 286 + 30 lengths, and for a repeat that runs past them by up to 137. */
const lengths = /* @__PURE__ */ new Uint8Array(512)

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

  codeLengthLengths.fill(0)
  for (let index = 0; index < codeLengthCount; index++) {
    if (!state.hasBits(3)) return false
    codeLengthLengths[CODE_LENGTH_ORDER[index]!] = state.takeBits(3)
  }
  const width = buildDecodeTable(
    codeLengthTable,
    CODE_LENGTH_BITS,
    codeLengthLengths,
    0,
    19,
    CODE_LENGTH_SYMBOLS,
    false,
  )
  const total = literalLengthCount + distanceCount
  if (!readLengths(state, width, total)) return false
  if (lengths[256] === 0) throw corruptZlib('a block has no code for its end')

  const tables = state.dynamic
  tables.literalLengthBits = buildDecodeTable(
    tables.literalLengths,
    literalLengthBits,
    lengths,
    0,
    literalLengthCount,
    LITERAL_LENGTH_SYMBOLS,
    true,
  )
  tables.distanceBits = buildDecodeTable(
    tables.distances,
    8,
    lengths,
    literalLengthCount,
    distanceCount,
    DISTANCE_SYMBOLS,
    true,
  )
  state.tables = tables
  return true
}

/** Reads `total` code lengths, which may be run-length encoded, into `lengths`. */
function readLengths(state: InflateState, width: number, total: number): boolean {
  const { input, end } = state
  const mask = (1 << width) - 1
  let { pos, hold, bits } = state
  let at = 0
  while (at < total) {
    // A code and its extra bits take 14 bits at most.
    while (bits < 16 && pos < end) {
      hold |= input[pos++]! << bits
      bits += 8
    }
    const entry = codeLengthTable[hold & mask]!
    const codeLength = entry & 31
    const symbol = entry >>> 16
    if (symbol < 16) {
      if (codeLength > bits) return false
      hold >>>= codeLength
      bits -= codeLength
      lengths[at++] = symbol
      continue
    }
    const extra = symbol === 16 ? 2 : symbol === 17 ? 3 : 7
    if (codeLength + extra > bits) return false
    const repeat = ((hold >>> codeLength) & ((1 << extra) - 1)) + (symbol === 18 ? 11 : 3)
    hold >>>= codeLength + extra
    bits -= codeLength + extra
    if (symbol === 16 && at === 0) throw corruptZlib('a block repeats a code length before the first')
    if (at + repeat > total) throw corruptZlib('a block repeats a code length past the last')
    const length = symbol === 16 ? lengths[at - 1]! : 0
    for (let left = repeat; left > 0; left--) lengths[at++] = length
  }
  state.pos = pos
  state.hold = hold
  state.bits = bits
  return true
}
