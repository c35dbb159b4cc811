import { GitError } from '../errors.ts'

/** What a bit of the tenth byte of a size is worth; git's sizes have no more bytes than that. */
const LAST_SCALE = 2 ** 63

/** More than a byte of instructions can ever make (a copy of 0xff0000 in two), so that a lying size costs no memory. */
const MAX_GROWTH = 0x800000

/**
 * Reads the two sizes in front of a delta (gitformat-pack, "Deltified representation").
 *
 * `at` afterwards is the position of the first instruction. One reader is reused over many deltas.
 */
export class DeltaHeader {
  baseSize = 0
  resultSize = 0
  at = 0

  /** @throws GitError `CORRUPT_DELTA` when the sizes are cut short or impossible. */
  parse(bytes: Uint8Array, start: number, end: number): void {
    this.at = start
    this.baseSize = this.#size(bytes, end)
    this.resultSize = this.#size(bytes, end)
    if (this.resultSize > MAX_GROWTH * (end - this.at))
      throw new GitError('CORRUPT_DELTA', 'delta names a size that its instructions cannot reach')
  }

  #size(bytes: Uint8Array, end: number): number {
    let value = 0
    let scale = 1
    while (this.at < end) {
      const byte = bytes[this.at++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break
        return value
      }
      if (scale === LAST_SCALE) break
      scale *= 128
    }
    throw new GitError('CORRUPT_DELTA', 'delta header is cut short or names an impossible size')
  }
}
