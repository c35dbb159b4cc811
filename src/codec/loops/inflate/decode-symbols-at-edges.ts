import { corruptZlib } from '../../corrupt-zlib.ts'
import { END_OF_BLOCK, EXCEPTIONAL, SUBTABLE } from './decode-table.ts'
import type { InflateState } from './inflate-state.ts'

/** How {@link decodeSymbolsAtEdges} came to its end. */
export const Edge = { blockEnd: 0, inputEnd: 1, outputFull: 2 } as const

export type Edge = (typeof Edge)[keyof typeof Edge]

/**
 * Decodes symbols where the input is about to end or the output is about to be full: one by one, with every bit checked.
 *
 * It stops at the end of the block, or before the first symbol that is not wholly there or does not fit.
 *
 * @throws GitError `CORRUPT_ZLIB`
 */
export function decodeSymbolsAtEdges(state: InflateState): Edge {
  const { out, outStart, outEnd, tables } = state
  for (;;) {
    const { pos, hold, bits } = state

    let entry = nextEntry(state, tables.literalLengths, tables.literalLengthBits)
    if ((entry & 31) > state.bits) return goBack(state, pos, hold, bits, Edge.inputEnd)
    if (entry < 0) {
      if (state.at >= outEnd) return goBack(state, pos, hold, bits, Edge.outputFull)
      out[state.at++] = entry >>> 16
      state.takeBits(entry & 31)
      continue
    }
    if ((entry & EXCEPTIONAL) !== 0) {
      if ((entry & END_OF_BLOCK) === 0) throw corruptZlib('a literal or length code means nothing')
      state.takeBits(entry & 31)
      return Edge.blockEnd
    }
    let codeLength = (entry >>> 8) & 15
    state.takeBits(codeLength)
    const length = (entry >>> 16) + state.takeBits((entry & 31) - codeLength)

    entry = nextEntry(state, tables.distances, tables.distanceBits)
    codeLength = (entry >>> 8) & 15
    if (codeLength > state.bits) return goBack(state, pos, hold, bits, Edge.inputEnd)
    if ((entry & EXCEPTIONAL) !== 0) throw corruptZlib('a distance code means nothing')
    state.takeBits(codeLength)
    const extra = (entry & 31) - codeLength
    if (!state.hasBits(extra)) return goBack(state, pos, hold, bits, Edge.inputEnd)
    const distance = (entry >>> 16) + state.takeBits(extra)

    if (distance > state.at - outStart) {
      throw corruptZlib(`a match reaches ${distance} bytes back, before the beginning`)
    }
    if (length > outEnd - state.at) return goBack(state, pos, hold, bits, Edge.outputFull)
    for (let left = length; left > 0; left--) {
      out[state.at] = out[state.at - distance]!
      state.at++
    }
  }
}

/**
 * Looks up the next code without taking it. Missing bits count as zeros: an entry is true only if it drops no more bits
 * than there are.
 */
function nextEntry(state: InflateState, table: Int32Array, tableBits: number): number {
  state.hasBits(24)
  const entry = table[state.hold & ~(-1 << tableBits)]!
  if ((entry & SUBTABLE) === 0) return entry
  return table[(entry >>> 16) + ((state.hold >>> (entry & 31)) & ~(-1 << ((entry >>> 8) & 15)))]!
}

function goBack(state: InflateState, pos: number, hold: number, bits: number, edge: Edge): Edge {
  state.pos = pos
  state.hold = hold
  state.bits = bits
  return edge
}
