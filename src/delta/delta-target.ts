import { BLOCK, blockHashes } from './block-hash.ts'

/** How many block hashes are computed at once. */
const STEP = 512

/**
 * An object to be written as a delta, with the hashes of its blocks, which are computed once for all the bases that are tried.
 * One target is reused over many objects.
 */
export class DeltaTarget {
  bytes: Uint8Array = EMPTY
  view: DataView = EMPTY_VIEW
  /** By position: the hash of the sixteen bytes from there. Valid where {@link hashed} said so. */
  hashes: Int32Array = new Int32Array(STEP)
  #from = 0
  #to = 0

  /** Begins another object. The target holds on to the bytes until the next call. */
  reset(bytes: Uint8Array): void {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#from = 0
    this.#to = 0
  }

  /** Makes the hash at position `at` valid, and returns the first position behind it that is not. The block must lie in the object. */
  hashed(at: number): number {
    const last = this.bytes.length - BLOCK + 1
    if (this.hashes.length < last) {
      const grown = new Int32Array(Math.max(last, 2 * this.hashes.length))
      grown.set(this.hashes.subarray(this.#from, this.#to), this.#from)
      this.hashes = grown
    }
    if (at >= this.#from && at < this.#to) return this.#to
    if (this.#to === 0 || at > this.#to) {
      // What was hashed lies behind: the part between is not needed by this base, and seldom by the others.
      this.#from = at
      this.#to = at
    }
    if (at < this.#from) {
      blockHashes(this.bytes, at, this.#from, this.hashes)
      this.#from = at
      return this.#to
    }
    const end = Math.min(last, at + STEP)
    blockHashes(this.bytes, at, end, this.hashes)
    this.#to = end
    return end
  }
}

const EMPTY = /* @__PURE__ */ new Uint8Array(0)
const EMPTY_VIEW = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(0))
