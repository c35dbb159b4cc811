import type { Hash } from '../codec/ports.ts'
import type { ObjectFormat } from '../object/object-format.ts'

/** Output is handed on in chunks of this size, when it is not wrapped in frames. */
const CHUNK = 64 << 10
/** About how much of an output in frames is handed on at a time, after the first frame. */
const PIECE = 256 << 10

/** How output is wrapped: each `every` bytes of it, and what is left in the end, behind a header of `gap` bytes. */
export interface OutputFraming {
  readonly every: number
  readonly gap: number
  /** Writes the header of so many bytes to `out[at, at + gap)`. */
  writeHeader(out: Uint8Array, at: number, length: number): void
}

const BARE: OutputFraming = { every: CHUNK, gap: 0, writeHeader: () => undefined }

/**
 * Assembles the bytes of a pack: small pieces are gathered into chunks, large ones handed on as they are, all of it is hashed. Wrapped in
 * frames it is assembled between their headers, and copied nowhere on the way.
 *
 * Chunks that are complete wait in `ready`; whoever writes takes them out, and they belong to the receiver.
 */
export class PackOutput {
  readonly ready: Uint8Array[] = []
  readonly #format: ObjectFormat
  readonly #hash: Hash
  readonly #framing: OutputFraming
  #chunk: Uint8Array
  /** Where the frame that is being filled begins in the chunk, with its header. */
  #frame = 0
  /** Where the next byte goes. */
  #at: number
  #total = 0

  constructor(format: ObjectFormat, framing: OutputFraming = BARE) {
    this.#format = format
    this.#hash = format.hash.create()
    this.#framing = framing
    this.#chunk = new Uint8Array(framing.every + framing.gap)
    this.#at = framing.gap
  }

  /** Bytes of the pack put in so far: the offset of what comes next. */
  get total(): number {
    return this.#total
  }

  /** Copies `bytes[from, to)`. */
  append(bytes: Uint8Array, from: number, to: number): void {
    this.#total += to - from
    this.#append(bytes, from, to, true)
  }

  /** Takes over a piece that belongs to nobody else. */
  appendOwned(piece: Uint8Array): void {
    if (this.#framing !== BARE || piece.length < CHUNK / 4) {
      this.append(piece, 0, piece.length)
      return
    }
    this.#endFrame(true)
    this.#handOn()
    this.#total += piece.length
    this.#hash.update(piece)
    this.ready.push(piece)
  }

  /** Ends the pack with its checksum, which it returns. */
  finish(): Uint8Array {
    const trailer = new Uint8Array(this.#format.idLength)
    this.#hash.update(this.#unhashed())
    this.#hash.digestInto(trailer, 0)
    this.#append(trailer, 0, trailer.length, false)
    this.#endFrame(false)
    this.#handOn()
    return trailer
  }

  #append(bytes: Uint8Array, from: number, to: number, isHashed: boolean): void {
    const { every, gap } = this.#framing
    while (from < to) {
      const end = this.#frame + gap + every
      const length = Math.min(to - from, end - this.#at)
      const chunk = this.#chunk
      if (length < 32) for (let k = 0; k < length; k++) chunk[this.#at + k] = bytes[from + k]!
      else chunk.set(bytes.subarray(from, from + length), this.#at)
      this.#at += length
      from += length
      if (this.#at === end) this.#endFrame(isHashed)
    }
  }

  /** What of the frame was not hashed yet: all that is in it. */
  #unhashed(): Uint8Array {
    return this.#chunk.subarray(this.#frame + this.#framing.gap, this.#at)
  }

  /** Ends the frame that is being filled, if anything is in it, and begins another. */
  #endFrame(isHashed: boolean): void {
    const { every, gap } = this.#framing
    const length = this.#at - this.#frame - gap
    if (length === 0) return
    if (isHashed) this.#hash.update(this.#unhashed())
    this.#framing.writeHeader(this.#chunk, this.#frame, length)
    this.#frame = this.#at
    this.#at += gap
    if (length === every && this.#frame === this.#chunk.length) {
      const frames = this.#framing === BARE ? 1 : Math.max(1, Math.floor(PIECE / every))
      this.#handOn(frames * (every + gap))
    }
  }

  /** Hands on the frames that are complete; the next ones go to a chunk of `size` bytes. */
  #handOn(size = this.#chunk.length): void {
    if (this.#frame === 0) return
    const isFull = this.#frame === this.#chunk.length
    this.ready.push(isFull ? this.#chunk : this.#chunk.slice(0, this.#frame))
    if (isFull) this.#chunk = new Uint8Array(size)
    this.#frame = 0
    this.#at = this.#framing.gap
  }
}
