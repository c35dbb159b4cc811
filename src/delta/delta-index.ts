import { BLOCK, blockHash } from './block-hash.ts'
import { commonForward } from './common-run.ts'

/** How many blocks of one bucket are looked at: bounds the work on bases that repeat themselves. */
const BUCKET_LIMIT = 64
/** A match this long is taken without looking for a longer one. */
const LONG_MATCH = 4096
/** The table of present hashes has 2^5 bits per block, so that three of a hundred absent blocks seem present. */
const FILTER_SHIFT = 5

/**
 * A delta base: its bytes, and where its blocks are, by hash. One index is reused over many bases, and one base over many targets.
 *
 * The base is cut into blocks of sixteen bytes. Layout, built by the first {@link prepare} of a base:
 *
 * - `filter`  a bit for each value of the top bits of a hash, set when some block has it
 * - `head`    by the top bits of a hash: the number of its first block, counted from 1, or 0
 * - `next`    by block: the next one in the same bucket, counted from 1, or 0
 * - `hashes`  by block: its hash
 *
 * Memory beyond the base itself: about its size.
 */
export class DeltaIndex {
  bytes: Uint8Array = EMPTY
  view: DataView = EMPTY_VIEW
  /** One bit per value of `hash >>> filterShift`. */
  filter: Int32Array = NO_NUMBERS
  filterShift = 32
  /** Where the match of the last successful {@link findMatch} begins in the base. */
  matchAt = 0
  #prepared = false
  #head: Int32Array = NO_NUMBERS
  #headShift = 32
  #next: Int32Array = NO_NUMBERS
  #hashes: Int32Array = NO_NUMBERS

  /** Begins another base. The index holds on to the bytes until the next call. */
  reset(bytes: Uint8Array): void {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#prepared = false
  }

  /** Goes on with the same bytes in another place. */
  moveTo(bytes: Uint8Array): void {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Bytes that this index holds in tables, without the base. */
  get tableBytes(): number {
    return 4 * (this.filter.length + this.#head.length + this.#next.length + this.#hashes.length)
  }

  /** Forgets the base, and the tables when they have more than `keep` bytes. */
  release(keep: number): void {
    this.bytes = EMPTY
    this.view = EMPTY_VIEW
    this.#prepared = false
    if (this.tableBytes <= keep) return
    this.filter = NO_NUMBERS
    this.#head = NO_NUMBERS
    this.#next = NO_NUMBERS
    this.#hashes = NO_NUMBERS
  }

  /** Builds the tables if that is not done yet; false when the base is too short to have any block. */
  prepare(): boolean {
    const blocks = this.bytes.length >>> 4
    if (blocks === 0) return false
    if (this.#prepared) return true
    this.#prepared = true
    const bits = Math.max(4, 32 - Math.clz32(blocks - 1))
    this.#makeRoom(blocks, bits)
    const { bytes, filter } = this
    const head = this.#head
    const next = this.#next
    const hashes = this.#hashes
    const headShift = 32 - bits
    const filterShift = headShift - FILTER_SHIFT
    this.#headShift = headShift
    this.filterShift = filterShift
    // From the end, so that buckets begin with the lowest block; of equal neighbours only the lowest is kept.
    let above = 0
    for (let block = blocks; block > 0; block--) {
      const hash = blockHash(bytes, (block - 1) * BLOCK)
      hashes[block - 1] = hash
      const bucket = hash >>> headShift
      if (hash === above && block < blocks) {
        // The block above is the first of this bucket.
        head[bucket] = block
        next[block - 1] = next[block]!
      } else {
        next[block - 1] = head[bucket]!
        head[bucket] = block
      }
      above = hash
      const bit = hash >>> filterShift
      filter[bit >>> 5]! |= 1 << bit
    }
    return true
  }

  #makeRoom(blocks: number, bits: number): void {
    if (this.#next.length < blocks) {
      const capacity = 1 << bits
      this.#next = new Int32Array(capacity)
      this.#hashes = new Int32Array(capacity)
      this.#head = new Int32Array(capacity)
      this.filter = new Int32Array(capacity)
      return
    }
    this.#head.fill(0, 0, 1 << bits)
    this.filter.fill(0, 0, 1 << bits)
  }

  /**
   * Finds the longest run of `target` from `at` onwards, up to `end`, that stands in the base where a block with this hash stands;
   * the block itself begins `ahead` bytes in front of `at`. Its place goes to {@link matchAt}.
   *
   * @returns its length, 0 when there is none. Only after {@link prepare}.
   */
  findMatch(hash: number, target: DataView, at: number, end: number, ahead: number): number {
    const { view } = this
    const size = this.bytes.length
    const hashes = this.#hashes
    let best = 0
    let tries = BUCKET_LIMIT
    for (let block = this.#head[hash >>> this.#headShift]!; block > 0; block = this.#next[block - 1]!) {
      if (hashes[block - 1] === hash) {
        const from = (block - 1) * BLOCK + ahead
        const limit = size - from < end - at ? size - from : end - at
        if (limit <= best) break
        const length = commonForward(view, from, target, at, limit)
        if (length > best) {
          best = length
          this.matchAt = from
          if (length >= LONG_MATCH) break
        }
      }
      if (--tries === 0) break
    }
    return best
  }
}

const EMPTY = /* @__PURE__ */ new Uint8Array(0)
const EMPTY_VIEW = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(0))
const NO_NUMBERS = /* @__PURE__ */ new Int32Array(0)
