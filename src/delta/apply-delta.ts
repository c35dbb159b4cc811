import { GitError } from '../errors.ts'

/** Below this many bytes a plain loop beats the call into native code. */
const LOOP_LIMIT = 12

/**
 * Applies the instructions `delta[at, end)` (the part after the header) to `base[baseAt, baseAt + baseSize)` and writes exactly
 * `resultSize` bytes to `out[outAt, …)`.
 *
 * All three may be one array as long as the ranges do not overlap: then every copy is a move within it, which is fastest.
 * Layout of instructions: gitformat-pack, "Deltified representation".
 *
 * @throws GitError `CORRUPT_DELTA` when an instruction reaches outside the base, the delta or the result.
 */
export function applyDelta(
  delta: Uint8Array,
  at: number,
  end: number,
  base: Uint8Array,
  baseAt: number,
  baseSize: number,
  out: Uint8Array,
  outAt: number,
  resultSize: number,
): void {
  const outEnd = outAt + resultSize
  const baseInOut = base === out
  const deltaInOut = delta === out
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
      if (at > end || offset + size > baseSize || outAt + size > outEnd)
        throw deltaIsCorrupt('a copy out of bounds')
      const from = baseAt + offset
      if (size < LOOP_LIMIT) for (let k = 0; k < size; k++) out[outAt + k] = base[from + k]!
      else if (baseInOut) out.copyWithin(outAt, from, from + size)
      else out.set(base.subarray(from, from + size), outAt)
      outAt += size
    } else if (op > 0) {
      if (at + op > end || outAt + op > outEnd) throw deltaIsCorrupt('an insert out of bounds')
      if (op < LOOP_LIMIT) for (let k = 0; k < op; k++) out[outAt + k] = delta[at + k]!
      else if (deltaInOut) out.copyWithin(outAt, at, at + op)
      else out.set(delta.subarray(at, at + op), outAt)
      outAt += op
      at += op
    } else {
      throw deltaIsCorrupt('the reserved instruction 0')
    }
  }
  if (outAt !== outEnd) throw deltaIsCorrupt(`${outEnd - outAt} bytes too few`)
}

/** Makes the error for a delta that has what it must not have. */
export function deltaIsCorrupt(what: string): GitError {
  return new GitError('CORRUPT_DELTA', `delta does not apply: it has ${what}`)
}
