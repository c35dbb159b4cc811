import { type BlockTables, FIXED_TABLES } from './alphabets.ts'
import { ViewCache } from '../view-cache.ts'

/** Where in a deflate stream a decoder stands. */
export const Phase = {
  blockHeader: 0,
  storedLength: 1,
  storedLengthCheck: 2,
  stored: 3,
  symbols: 4,
  end: 5,
} as const

export type Phase = (typeof Phase)[keyof typeof Phase]

const NOTHING = /* @__PURE__ */ new Uint8Array(0)
const NO_VIEW = /* @__PURE__ */ new DataView(NOTHING.buffer)

/**
 * The registers of an inflate in progress.
 *
 * `hold` carries the next `bits` bits of input, lowest first, and zeros above them; `bits` is at most 31. Between calls
 * of `inflateRaw` it is less than 8: whole bytes are given back, so that `pos` is the truth about what was consumed.
 */
export class InflateState {
  input: Uint8Array = NOTHING
  /** The same bytes as `input`, for unaligned loads of words. */
  view: DataView = NO_VIEW
  readonly #views = new ViewCache()
  /** Index of the next byte to load into `hold`. */
  pos = 0
  /** Index behind the last byte that may be read. */
  end = 0
  hold = 0
  bits = 0

  out: Uint8Array = NOTHING
  /** Index of the earliest byte that a match may refer to. */
  outStart = 0
  /** Index of the next byte to write. */
  at = 0
  /** Index behind the last byte that may be written. */
  outEnd = 0

  phase: Phase = Phase.blockHeader
  isLastBlock = false
  /** Bytes of a stored block that are still to come. */
  storedLeft = 0
  /** The tables of the current block: the fixed ones, or `dynamic`. */
  tables: BlockTables = FIXED_TABLES
  /** Scratch for blocks that bring their own codes. Sized for the worst code with the widest index we use, with room. */
  readonly dynamic: BlockTables = {
    literalLengths: new Int32Array(2048),
    literalLengthBits: 0,
    distances: new Int32Array(1024),
    distanceBits: 0,
  }

  /** Stands at the beginning of a new stream. */
  restart(): void {
    this.hold = 0
    this.bits = 0
    this.phase = Phase.blockHeader
    this.isLastBlock = false
  }

  setInput(input: Uint8Array, pos: number, end: number): void {
    this.input = input
    this.view = this.#views.viewOf(input)
    this.pos = pos
    this.end = end
  }

  setOutput(out: Uint8Array, start: number, at: number, end: number): void {
    this.out = out
    this.outStart = start
    this.at = at
    this.outEnd = end
  }

  /** Lets go of the caller's buffers. */
  release(): void {
    this.input = NOTHING
    this.view = NO_VIEW
    this.out = NOTHING
  }

  /** Loads bytes until `hold` has at least `count` bits, 24 at most; returns false when the input does not have them. */
  hasBits(count: number): boolean {
    while (this.bits < count) {
      if (this.pos >= this.end) return false
      this.hold |= this.input[this.pos++]! << this.bits
      this.bits += 8
    }
    return true
  }

  /** Takes `count` bits, which must be there. */
  takeBits(count: number): number {
    const value = this.hold & ~(-1 << count)
    this.hold >>>= count
    this.bits -= count
    return value
  }

  /** Gives whole bytes in `hold` back to the input, leaving less than 8 bits. */
  returnBytes(): void {
    this.pos -= this.bits >> 3
    this.bits &= 7
    this.hold &= ~(-1 << this.bits)
  }
}
