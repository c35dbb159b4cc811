import { corruptZlib } from '../../corrupt-zlib.ts'
import { FIXED_TABLES } from './alphabets.ts'
import { decodeSymbolsAtEdges, Edge } from './decode-symbols-at-edges.ts'
import { decodeSymbols } from './decode-symbols.ts'
import { readDynamicHeader } from './dynamic-header.ts'
import { type InflateState, Phase } from './inflate-state.ts'

/** Why {@link inflateRaw} returned. */
export type InflateOutcome = 'end' | 'input-end' | 'output-full'

/** Outputs from this size on are worth a wider table, which costs more to build. */
const WIDE_TABLE_FROM = 8192

/**
 * Inflates raw deflate data (RFC 1951) from where `state` stands, until its last block has ended, the input has, or the
 * output is full. After either of the latter it can be called again with more.
 *
 * At the end `state.pos` is the byte after the deflate data.
 *
 * @throws GitError `CORRUPT_ZLIB`; the state is then of no more use.
 */
export function inflateRaw(state: InflateState): InflateOutcome {
  for (;;) {
    switch (state.phase) {
      case Phase.blockHeader:
        if (state.isLastBlock) {
          state.returnBytes()
          state.takeBits(state.bits)
          state.phase = Phase.end
        } else if (!readBlockHeader(state)) {
          return suspend(state, 'input-end')
        }
        break
      case Phase.storedLength:
        if (!state.hasBits(16)) return suspend(state, 'input-end')
        state.storedLeft = state.takeBits(16)
        state.phase = Phase.storedLengthCheck
        break
      case Phase.storedLengthCheck:
        if (!state.hasBits(16)) return suspend(state, 'input-end')
        if (state.takeBits(16) !== (state.storedLeft ^ 0xffff))
          throw corruptZlib('the length of a stored block does not match its complement')
        state.returnBytes()
        state.phase = Phase.stored
        break
      case Phase.stored:
        copyStored(state)
        if (state.storedLeft > 0) return state.pos >= state.end ? 'input-end' : 'output-full'
        state.phase = Phase.blockHeader
        break
      case Phase.symbols: {
        const edge = decodeSymbols(state) ? Edge.blockEnd : decodeSymbolsAtEdges(state)
        if (edge === Edge.inputEnd) return suspend(state, 'input-end')
        if (edge === Edge.outputFull) return suspend(state, 'output-full')
        state.phase = Phase.blockHeader
        break
      }
      case Phase.end:
        return 'end'
    }
  }
}

/** Reads a block's header (section 3.2.3); returns false, standing where it stood, when the input ends first. */
function readBlockHeader(state: InflateState): boolean {
  const { pos, hold, bits } = state
  if (!state.hasBits(3)) return false
  const isLastBlock = state.takeBits(1) === 1
  const type = state.takeBits(2)
  if (type === 0) {
    state.takeBits(state.bits & 7)
    state.phase = Phase.storedLength
  } else if (type === 1) {
    state.tables = FIXED_TABLES
    state.phase = Phase.symbols
  } else if (type === 2) {
    if (!readDynamicHeader(state, state.outEnd - state.at >= WIDE_TABLE_FROM ? 10 : 9)) {
      state.pos = pos
      state.hold = hold
      state.bits = bits
      return false
    }
    state.phase = Phase.symbols
  } else {
    throw corruptZlib('a block of a type that does not exist')
  }
  state.isLastBlock = isLastBlock
  return true
}

/** Copies as much of a stored block as there is input for and room in the output. */
function copyStored(state: InflateState): void {
  const { input, pos, out, at } = state
  const length = Math.min(state.storedLeft, state.end - pos, state.outEnd - at)
  if (length < 64) {
    for (let index = 0; index < length; index++) out[at + index] = input[pos + index]!
  } else {
    out.set(input.subarray(pos, pos + length), at)
  }
  state.pos += length
  state.at += length
  state.storedLeft -= length
}

function suspend(state: InflateState, outcome: InflateOutcome): InflateOutcome {
  state.returnBytes()
  return outcome
}
