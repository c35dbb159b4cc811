import { compareRanges } from '../bytes/compare.ts'

/**
 * A set of object ids that numbers its members 0, 1, 2, … in the order they were added.
 *
 * Layout: `ids` holds the raw ids side by side, `idLength` bytes each, by ordinal; `slots` is an open-addressing
 * table (linear probing, at most half full) of ordinal + 1, 0 for empty, indexed by the first four bytes of the id.
 * An id costs `idLength` + 8 to 16 bytes. Ids of objects are hashes, so their first bytes need no further mixing; a peer who
 * grinds ids to collide there pays 2^32 hashes for each factor it gains. Ids that a peer merely names it may choose as it
 * likes: a table for these mixes all their bytes with random numbers.
 */
export class IdTable {
  readonly idLength: number
  #ids: Uint8Array
  #slots: Int32Array
  #size = 0
  /** One odd random number for each four bytes of an id; absent where the first bytes are random enough. */
  readonly #keys: Int32Array | undefined

  /**
   * @param capacity how many ids to expect; the table grows beyond it.
   * @param ids `named` where ids may be of objects that do not exist.
   */
  constructor(idLength: number, capacity = 64, ids: 'existing' | 'named' = 'existing') {
    this.idLength = idLength
    this.#keys = ids === 'named' ? globalThis.crypto.getRandomValues(new Int32Array(idLength / 4)) : undefined
    let slots = 16
    while (slots < 2 * capacity) slots *= 2
    this.#slots = new Int32Array(slots)
    this.#ids = new Uint8Array(idLength * Math.max(8, capacity))
  }

  /** How many ids the table holds. */
  get size(): number {
    return this.#size
  }

  /** All ids side by side, by ordinal. A view that is only valid until the next `add`. */
  get ids(): Uint8Array {
    return this.#ids.subarray(0, this.#size * this.idLength)
  }

  /** A copy of the id of this ordinal. */
  id(ordinal: number): Uint8Array {
    return this.#ids.slice(ordinal * this.idLength, (ordinal + 1) * this.idLength)
  }

  /** A view of the id of this ordinal, only valid until the next `add`. */
  view(ordinal: number): Uint8Array {
    return this.#ids.subarray(ordinal * this.idLength, (ordinal + 1) * this.idLength)
  }

  /** The ordinal of the id at `bytes[at]`, or -1. */
  find(bytes: Uint8Array, at = 0): number {
    const mask = this.#slots.length - 1
    for (let slot = this.#hash(bytes, at) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot]!
      if (entry === 0) return -1
      if (compareRanges(this.#ids, (entry - 1) * this.idLength, bytes, at, this.idLength) === 0)
        return entry - 1
    }
  }

  has(bytes: Uint8Array, at = 0): boolean {
    return this.find(bytes, at) >= 0
  }

  /** Adds the id at `bytes[at]` if it is new, and returns its ordinal: it was new when that equals the former `size`. */
  add(bytes: Uint8Array, at = 0): number {
    const mask = this.#slots.length - 1
    let slot = this.#hash(bytes, at) & mask
    for (; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot]!
      if (entry === 0) break
      if (compareRanges(this.#ids, (entry - 1) * this.idLength, bytes, at, this.idLength) === 0)
        return entry - 1
    }
    const ordinal = this.#size++
    const end = this.#size * this.idLength
    if (end > this.#ids.length) this.#growIds()
    const start = ordinal * this.idLength
    for (let k = 0; k < this.idLength; k++) this.#ids[start + k] = bytes[at + k]!
    this.#slots[slot] = ordinal + 1
    if (2 * this.#size > this.#slots.length) this.#growSlots()
    return ordinal
  }

  #hash(bytes: Uint8Array, at: number): number {
    const keys = this.#keys
    if (keys === undefined) return prefix(bytes, at)
    let sum = 0
    for (let k = 0; k < keys.length; k++) sum = (sum + Math.imul(prefix(bytes, at + 4 * k), keys[k]! | 1)) | 0
    return sum ^ (sum >>> 15)
  }

  #growIds(): void {
    const grown = new Uint8Array(2 * this.#ids.length)
    grown.set(this.#ids)
    this.#ids = grown
  }

  #growSlots(): void {
    const slots = new Int32Array(2 * this.#slots.length)
    const mask = slots.length - 1
    for (let ordinal = 0; ordinal < this.#size; ordinal++) {
      let slot = this.#hash(this.#ids, ordinal * this.idLength) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = ordinal + 1
    }
    this.#slots = slots
  }
}

function prefix(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}
