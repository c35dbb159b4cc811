import { GitError } from '../errors.ts'

/**
 * Which objects of a pack a repository sees: bit `rank & 7` of byte `rank >> 3`, by rank in the index. The others do not exist for it,
 * though their bytes may serve as delta bases inside the pack.
 */
export class PackMask {
  /** How many objects are visible. */
  readonly visibleCount: number
  readonly #bits: Uint8Array

  /**
   * @param bits is kept.
   * @throws GitError `CORRUPT_INDEX` when it is not the mask of a pack of so many objects.
   */
  constructor(bits: Uint8Array, objectCount: number) {
    const beyond = objectCount % 8 === 0 ? 0 : (bits.at(-1) ?? 0) >> (objectCount % 8)
    if (bits.length !== Math.ceil(objectCount / 8) || beyond !== 0) {
      throw new GitError(
        'CORRUPT_INDEX',
        `a mask of ${bits.length} bytes does not belong to a pack of ${objectCount} objects`,
      )
    }
    let count = 0
    for (let rest of bits) for (; rest !== 0; rest &= rest - 1) count++
    this.visibleCount = count
    this.#bits = bits
  }

  /** Whether the object of this rank is visible. */
  has(rank: number): boolean {
    return ((this.#bits[rank >> 3]! >> (rank & 7)) & 1) !== 0
  }
}
