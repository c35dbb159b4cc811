import { OFS_DELTA, REF_DELTA } from '../entry-header.ts'
import { findOffset } from '../find-offset.ts'
import type { DeltaLinks } from './waiting-deltas.ts'

/** Set in `types` for entries that are stored as deltas. */
const STORED_AS_DELTA = 0x80

/** Rows that are made room for at once on the word of a pack's header. Memory that is never written costs nothing. */
const TRUSTED_ROWS = 1 << 20

/**
 * What windowed indexing keeps of each entry, as columns; a row is an entry, in pack order. 41 bytes an entry where ids have 20.
 *
 * - `offsets`  where the entry begins in the pack (bytes)
 * - `crcs`     CRC-32 of the stored entry
 * - `ids`      raw id, once it is known
 * - type, the deltas on the entry as a linked list: through the methods
 */
export class WindowedTable implements DeltaLinks {
  readonly idLength: number
  count = 0
  offsets: Float64Array
  crcs: Uint32Array
  ids: Uint8Array
  #types: Uint8Array
  /** Row + 1, 0 for none, so that columns need not be filled. */
  #firstChild: Uint32Array
  #nextSibling: Uint32Array

  constructor(expected: number, idLength: number) {
    const capacity = Math.min(expected, TRUSTED_ROWS)
    this.idLength = idLength
    this.offsets = new Float64Array(capacity)
    this.crcs = new Uint32Array(capacity)
    this.ids = new Uint8Array(capacity * idLength)
    this.#types = new Uint8Array(capacity)
    this.#firstChild = new Uint32Array(capacity)
    this.#nextSibling = new Uint32Array(capacity)
  }

  /**
   * Makes room for one more row. Columns may be replaced: read them anew.
   *
   * @param most as many rows as there will ever be, so that nothing is taken beyond it.
   */
  ensureRow(most: number): void {
    if (this.count < this.offsets.length) return
    const capacity = Math.max(this.count + 1, Math.min(most, Math.ceil(1.5 * this.count) + 16))
    this.offsets = grown(this.offsets, new Float64Array(capacity))
    this.crcs = grown(this.crcs, new Uint32Array(capacity))
    this.ids = grown(this.ids, new Uint8Array(capacity * this.idLength))
    this.#types = grown(this.#types, new Uint8Array(capacity))
    this.#firstChild = grown(this.#firstChild, new Uint32Array(capacity))
    this.#nextSibling = grown(this.#nextSibling, new Uint32Array(capacity))
  }

  /** Notes how an entry is stored: an object type, or one of the delta forms. */
  setStoredType(row: number, type: number): void {
    this.#types[row] = type === OFS_DELTA || type === REF_DELTA ? STORED_AS_DELTA : type
  }

  /** Notes the object's own type, once its id is known. */
  setType(row: number, type: number): void {
    this.#types[row] = (this.#types[row]! & STORED_AS_DELTA) | type
  }

  /** The object's own type, 0 while that is not known. */
  type(row: number): number {
    return this.#types[row]! & 7
  }

  isDelta(row: number): boolean {
    return this.#types[row]! >= STORED_AS_DELTA
  }

  /** The first delta on this entry, or -1. */
  firstChild(row: number): number {
    return this.#firstChild[row]! - 1
  }

  next(row: number): number {
    return this.#nextSibling[row]! - 1
  }

  setNext(row: number, following: number): void {
    this.#nextSibling[row] = following + 1
  }

  setFirst(parent: number, child: number): void {
    this.#firstChild[parent] = child + 1
  }

  addChild(parent: number, child: number): void {
    this.#nextSibling[child] = this.#firstChild[parent]!
    this.#firstChild[parent] = child + 1
  }

  /** The row of the entry that begins at this offset, or -1. */
  rowAt(offset: number): number {
    return findOffset(this.offsets, offset, 0, this.count)
  }
}

function grown<Column extends Float64Array | Uint32Array | Uint8Array>(
  column: Column,
  bigger: Column,
): Column {
  bigger.set(column)
  return bigger
}
