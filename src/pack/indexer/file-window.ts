/** A file that ranges can be read of, such as a staged pack. */
export interface RangeReader {
  readonly size: number
  /** One array per range, of exactly its length, owned by the caller. */
  read(
    ranges: readonly { readonly offset: number; readonly length: number }[],
  ): Promise<readonly Uint8Array[]>
}

const MIN_BLOCK = 1 << 12
const MAX_BLOCK = 1 << 14
/** How many blocks there are at least, as long as blocks are not the smallest. */
const BLOCKS = 64
/** What is asked of the file in one call. */
const READ_BYTES = 1 << 20

/**
 * Blocks of a file in a fixed amount of memory: synchronous reading of what is resident, and reading ahead in few calls of what will be
 * needed next. Blocks are replaced in the order they came.
 */
export class FileWindow {
  readonly #file: RangeReader
  readonly #blockSize: number
  readonly #slotCount: number
  readonly #slots: Uint8Array
  /** Slot by block. */
  readonly #resident = new Map<number, number>()
  /** Block by slot, -1 for none. */
  readonly #blocks: Float64Array
  #nextSlot = 0
  /** Blocks that are going to be needed, resident or not. */
  readonly #ahead = new Set<number>()
  #joined = new Uint8Array(0)
  /** Where the last range that was found is. Only valid until the next call. */
  bytes: Uint8Array = this.#joined
  at = 0

  constructor(file: RangeReader, maxBytes: number) {
    this.#file = file
    let size = MAX_BLOCK
    while (size > MIN_BLOCK && size * BLOCKS > maxBytes) size /= 2
    this.#blockSize = size
    this.#slotCount = Math.max(8, Math.floor(maxBytes / size))
    this.#slots = new Uint8Array(this.#slotCount * size)
    this.#blocks = new Float64Array(this.#slotCount).fill(-1)
  }

  /** The longest range that can be asked for. */
  get maxRange(): number {
    return Math.max(1, Math.floor(this.#slotCount / 4) - 1) * this.#blockSize
  }

  /** Makes `[offset, offset + length)` readable through `bytes` and `at`, if it is resident. */
  tryRange(offset: number, length: number): boolean {
    const size = this.#blockSize
    const first = Math.floor(offset / size)
    const last = Math.floor((offset + length - 1) / size)
    const slot = this.#resident.get(first)
    if (slot === undefined) return false
    let isStraight = true
    for (let block = first + 1; block <= last; block++) {
      const other = this.#resident.get(block)
      if (other === undefined) return false
      if (other !== slot + block - first) isStraight = false
    }
    if (isStraight) {
      this.bytes = this.#slots
      this.at = slot * size + offset - first * size
      return true
    }
    if (this.#joined.length < length) this.#joined = new Uint8Array(length)
    for (let block = first; block <= last; block++) {
      const from = Math.max(offset, block * size)
      const to = Math.min(offset + length, (block + 1) * size)
      const slotAt = this.#resident.get(block)! * size - block * size
      this.#joined.set(this.#slots.subarray(slotAt + from, slotAt + to), from - offset)
    }
    this.bytes = this.#joined
    this.at = 0
    return true
  }

  /**
   * Notes a range that is going to be needed, to be read by `settle`. Of all that is noted, half of the blocks are as many as there may
   * be: more would push out what was read for them before.
   *
   * @returns how many blocks of it were not noted before; -1 when no more can be noted.
   */
  want(offset: number, length: number): number {
    const first = Math.floor(offset / this.#blockSize)
    const last = Math.floor((offset + length - 1) / this.#blockSize)
    const before = this.#ahead.size
    if (before + last - first + 1 > this.#slotCount / 2) return -1
    for (let block = first; block <= last; block++) this.#ahead.add(block)
    return this.#ahead.size - before
  }

  /** Reads what was noted and is not resident, neighbouring blocks as one range. Begins a new list of what is noted. */
  async settle(): Promise<void> {
    const blocks = [...this.#ahead]
      .filter((block) => !this.#resident.has(block))
      .sort((left, right) => left - right)
    this.#ahead.clear()
    for (let at = 0; at < blocks.length;) {
      const ranges: { offset: number; length: number }[] = []
      const from = at
      for (let bytes = 0; at < blocks.length && bytes < READ_BYTES; at++) {
        const offset = blocks[at]! * this.#blockSize
        const length = Math.min(this.#blockSize, this.#file.size - offset)
        bytes += length
        const range = ranges.at(-1)
        if (range !== undefined && range.offset + range.length === offset) range.length += length
        else ranges.push({ offset, length })
      }
      const read = await this.#file.read(ranges)
      let range = 0
      let rangeAt = 0
      for (let k = from; k < at; k++) {
        const bytes = read[range]!
        const length = Math.min(this.#blockSize, bytes.length - rangeAt)
        this.#store(blocks[k]!, bytes, rangeAt, length)
        rangeAt += length
        if (rangeAt < bytes.length) continue
        range++
        rangeAt = 0
      }
    }
  }

  #store(block: number, bytes: Uint8Array, from: number, length: number): void {
    const slot = this.#nextSlot
    this.#nextSlot = (slot + 1) % this.#slotCount
    const former = this.#blocks[slot]!
    if (former >= 0) this.#resident.delete(former)
    this.#slots.set(bytes.subarray(from, from + length), slot * this.#blockSize)
    this.#blocks[slot] = block
    this.#resident.set(block, slot)
  }
}
