import { findAlignedCopies, type AlignedCopies } from '../../delta/aligned-copies.ts'

const BLOCK_BITS = 6

/**
 * What a hash has noted of the blocks of the objects in a work arena, header and body, see `HashAlgorithm.digestNotedInto`. The note of a
 * block that begins at a position is at that position divided by 64: objects that do not overlap, and have a header between them, have
 * their notes apart.
 */
export class BlockNotes {
  /** Read it anew after `clear`. */
  bytes = new Uint8Array(0)
  readonly #copies: AlignedCopies = { base: [], result: [], length: [] }
  #baseNotes = 0
  #resultNotes = 0

  /** Where the notes of an object begin whose header is at this position. */
  static at(headerAt: number): number {
    return headerAt >>> BLOCK_BITS
  }

  /** Forgets what was noted of the object `[headerAt, end)`. */
  clear(headerAt: number, end: number): void {
    const last = BlockNotes.at(end) + 1
    if (last > this.bytes.length) {
      const grown = new Uint8Array(2 * last)
      grown.set(this.bytes)
      this.bytes = grown
    }
    this.bytes.fill(0, BlockNotes.at(headerAt), last)
  }

  /**
   * Notes of the object at `resultAt` what is noted of the blocks that the delta `delta[at, end)` copies from the object at `baseAt`.
   * Positions are those of the headers, which have the given lengths.
   */
  carryOver(
    delta: Uint8Array,
    at: number,
    end: number,
    baseAt: number,
    baseHeader: number,
    resultAt: number,
    resultHeader: number,
  ): void {
    this.#baseNotes = BlockNotes.at(baseAt)
    this.#resultNotes = BlockNotes.at(resultAt)
    findAlignedCopies(delta, at, end, baseHeader, resultHeader, this.#copies)
    const { base, result, length } = this.#copies
    for (let k = 0; k < length.length; k++) {
      const from = this.#baseNotes + base[k]!
      this.bytes.copyWithin(this.#resultNotes + result[k]!, from, from + length[k]!)
    }
  }

  /** Notes of the base, after the result has been hashed, what is noted now of the blocks that were carried over last. */
  carryBack(): void {
    const { base, result, length } = this.#copies
    for (let k = 0; k < length.length; k++) {
      const from = this.#resultNotes + result[k]!
      this.bytes.copyWithin(this.#baseNotes + base[k]!, from, from + length[k]!)
    }
  }

  /** Moves the notes of an object of `size` bytes, header included, with it. */
  move(from: number, to: number, size: number): void {
    const begin = BlockNotes.at(from)
    this.bytes.copyWithin(BlockNotes.at(to), begin, begin + (size >>> BLOCK_BITS))
  }
}
