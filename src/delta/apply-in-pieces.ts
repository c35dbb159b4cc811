import type { ByteSink } from '../codec/ports.ts'
import { deltaIsCorrupt } from './apply-delta.ts'

const PIECE = 1 << 16

/**
 * Like `applyDelta`, but the result is never there as a whole: it goes to `sink` in pieces, each of which is only valid during the call.
 *
 * @throws GitError `CORRUPT_DELTA` when an instruction reaches outside the base, the delta or the result.
 */
export function applyDeltaInPieces(
  delta: Uint8Array,
  at: number,
  end: number,
  base: Uint8Array,
  baseAt: number,
  baseSize: number,
  resultSize: number,
  sink: ByteSink,
): void {
  const piece = new Uint8Array(Math.min(PIECE, resultSize))
  let filled = 0
  let left = resultSize
  const add = (bytes: Uint8Array, from: number, to: number): void => {
    while (from < to) {
      const length = Math.min(to - from, piece.length - filled)
      piece.set(bytes.subarray(from, from + length), filled)
      from += length
      filled += length
      if (filled < piece.length) return
      sink(piece)
      filled = 0
    }
  }
  while (at < end) {
    const op = delta[at++]!
    if (op >= 0x80) {
      let offset = 0
      let size = 0
      if (op & 0x01) offset = delta[at++]!
      if (op & 0x02) offset |= delta[at++]! << 8
      if (op & 0x04) offset |= delta[at++]! << 16
      if (op & 0x08) offset += delta[at++]! * 0x1000000
      if (op & 0x10) size = delta[at++]!
      if (op & 0x20) size |= delta[at++]! << 8
      if (op & 0x40) size |= delta[at++]! << 16
      if (size === 0) size = 0x10000
      if (at > end || offset + size > baseSize || size > left) throw deltaIsCorrupt('a copy out of bounds')
      add(base, baseAt + offset, baseAt + offset + size)
      left -= size
    } else if (op > 0) {
      if (at + op > end || op > left) throw deltaIsCorrupt('an insert out of bounds')
      add(delta, at, at + op)
      at += op
      left -= op
    } else {
      throw deltaIsCorrupt('the reserved instruction 0')
    }
  }
  if (left > 0) throw deltaIsCorrupt(`${left} bytes too few`)
  if (filled > 0) sink(piece.subarray(0, filled))
}
