import type { Hash } from '../codec/ports.ts'
import type { ObjectFormat } from '../object/object-format.ts'

/** Output is handed on in chunks of this size. */
const CHUNK = 64 << 10

/**
 * Assembles the bytes of a pack: small pieces are gathered into chunks, large ones handed on as they are, all of it is hashed.
 *
 * Chunks that are complete wait in `ready`; whoever writes takes them out, and they belong to the receiver.
 */
export class PackOutput {
  readonly ready: Uint8Array[] = []
  readonly #format: ObjectFormat
  readonly #hash: Hash
  #chunk = new Uint8Array(CHUNK)
  #filled = 0
  #total = 0

  constructor(format: ObjectFormat) {
    this.#format = format
    this.#hash = format.hash.create()
  }

  /** Bytes put in so far: the offset of what comes next. */
  get total(): number {
    return this.#total
  }

  /** Copies `bytes[from, to)`. */
  append(bytes: Uint8Array, from: number, to: number): void {
    this.#total += to - from
    while (from < to) {
      const length = Math.min(to - from, CHUNK - this.#filled)
      if (length < 32) for (let k = 0; k < length; k++) this.#chunk[this.#filled + k] = bytes[from + k]!
      else this.#chunk.set(bytes.subarray(from, from + length), this.#filled)
      this.#filled += length
      from += length
      if (this.#filled === CHUNK) this.#flush()
    }
  }

  /** Takes over a piece that belongs to nobody else. */
  appendOwned(piece: Uint8Array): void {
    if (piece.length < CHUNK / 4) {
      this.append(piece, 0, piece.length)
      return
    }
    this.#flush()
    this.#total += piece.length
    this.#hash.update(piece)
    this.ready.push(piece)
  }

  /** Ends the pack with its checksum. */
  finish(): void {
    this.#flush()
    const trailer = new Uint8Array(this.#format.idLength)
    this.#hash.digestInto(trailer, 0)
    this.ready.push(trailer)
  }

  #flush(): void {
    if (this.#filled === 0) return
    const chunk = this.#filled === CHUNK ? this.#chunk : this.#chunk.slice(0, this.#filled)
    if (this.#filled === CHUNK) this.#chunk = new Uint8Array(CHUNK)
    this.#filled = 0
    this.#hash.update(chunk)
    this.ready.push(chunk)
  }
}
