/** How many bytes are kept together. */
const CHUNK = 1 << 20

/** Deflated entries by ordinal, kept within a budget of bytes so that they need not be made twice. */
export class DeflatedEntries {
  readonly #budget: number
  #used = 0
  readonly #chunks: Uint8Array[] = []
  readonly #chunkBytes: number
  #filled: number
  /** By ordinal: number of the chunk from 1, or 0 for an entry that is not kept. */
  readonly #chunkOf: Uint32Array
  readonly #at: Uint32Array
  readonly #length: Uint32Array

  /** @param chunkBytes how many bytes are kept together; 0 keeps each entry as it comes, which suits a few of them. */
  constructor(count: number, budget: number, chunkBytes: number = CHUNK) {
    this.#budget = budget
    this.#chunkBytes = chunkBytes
    this.#filled = chunkBytes
    this.#chunkOf = new Uint32Array(count)
    this.#at = new Uint32Array(count)
    this.#length = new Uint32Array(count)
  }

  /** Keeps an entry, unless that would be over the budget. One that fills its buffer belongs to this from then on. */
  put(ordinal: number, bytes: Uint8Array): void {
    const { length } = bytes
    if (this.#used + length > this.#budget) return
    this.#used += length
    this.#length[ordinal] = length
    if (length > this.#chunkBytes / 4) {
      this.#chunkOf[ordinal] = this.#chunks.push(length < bytes.buffer.byteLength ? bytes.slice() : bytes)
      this.#at[ordinal] = 0
      // The chunk that was being filled is no longer the last one.
      this.#filled = this.#chunkBytes
      return
    }
    if (this.#filled + length > this.#chunkBytes) {
      this.#chunks.push(new Uint8Array(this.#chunkBytes))
      this.#filled = 0
    }
    this.#chunks.at(-1)!.set(bytes, this.#filled)
    this.#chunkOf[ordinal] = this.#chunks.length
    this.#at[ordinal] = this.#filled
    this.#filled += length
  }

  has(ordinal: number): boolean {
    return this.#chunkOf[ordinal] !== 0
  }

  /** A view of the entry, `undefined` when it is not kept. */
  get(ordinal: number): Uint8Array | undefined {
    const chunk = this.#chunks[this.#chunkOf[ordinal]! - 1]
    if (chunk === undefined) return undefined
    const at = this.#at[ordinal]!
    return chunk.subarray(at, at + this.#length[ordinal]!)
  }
}
