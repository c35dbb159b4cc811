import { findOffset } from '../find-offset.ts'
import type { DeltaLinks } from './waiting-deltas.ts'

/** What reading an entry alone tells of it, see {@link EntryTable}. */
export interface EntryColumns {
  readonly offsets: Float64Array
  readonly dataAt: Uint8Array
  readonly sizes: Uint32Array
  readonly types: Uint8Array
  readonly crcs: Uint32Array
  readonly ids: Uint8Array
  readonly deltaAt: Float64Array
}

/**
 * What the indexer knows of each entry of a pack, as columns; a row is an entry, in pack order.
 *
 * - `offsets`   where the entry begins in the pack (bytes)
 * - `dataAt`    where its zlib stream begins, relative to the entry (bytes)
 * - `sizes`     inflated size, of the object or of the delta (bytes)
 * - `types`     entry type as stored
 * - `crcs`      CRC-32 of the stored entry
 * - `ids`       raw id, once resolved
 * - `deltaAt`   for a delta: where it lies inflated in the delta arena (bytes)
 * - `firstChild`, `nextSibling`   the deltas on this entry, as a linked list of rows; -1 ends it
 */
export class EntryTable implements DeltaLinks {
  readonly idLength: number
  count = 0
  offsets: Float64Array
  dataAt: Uint8Array
  sizes: Uint32Array
  types: Uint8Array
  crcs: Uint32Array
  ids: Uint8Array
  deltaAt: Float64Array
  firstChild: Int32Array
  nextSibling: Int32Array

  /** @param isShared whether threads share its columns; those of rows beyond `capacity` they never do. */
  constructor(capacity: number, idLength: number, isShared = false) {
    const memory = (bytes: number): ArrayBuffer | SharedArrayBuffer =>
      isShared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)
    this.idLength = idLength
    this.offsets = new Float64Array(memory(8 * capacity))
    this.dataAt = new Uint8Array(memory(capacity))
    this.sizes = new Uint32Array(memory(4 * capacity))
    this.types = new Uint8Array(memory(capacity))
    this.crcs = new Uint32Array(memory(4 * capacity))
    this.ids = new Uint8Array(memory(capacity * idLength))
    this.deltaAt = new Float64Array(memory(8 * capacity))
    this.firstChild = new Int32Array(memory(4 * capacity)).fill(-1)
    this.nextSibling = new Int32Array(memory(4 * capacity)).fill(-1)
  }

  /** Makes sure that there is room for one more row. Columns may be replaced: read them anew. */
  ensureRow(): void {
    if (this.count < this.offsets.length) return
    const bigger = new EntryTable(this.count + Math.ceil(this.count / 4) + 16, this.idLength)
    const columns = [
      'offsets',
      'dataAt',
      'sizes',
      'types',
      'crcs',
      'ids',
      'deltaAt',
      'firstChild',
      'nextSibling',
    ] as const
    for (const column of columns) bigger[column].set(this[column])
    bigger.count = this.count
    Object.assign(this, bigger)
  }

  /** Adds rows that were read apart from the others. Room for them is there. */
  append(rows: EntryColumns): void {
    const at = this.count
    this.offsets.set(rows.offsets, at)
    this.dataAt.set(rows.dataAt, at)
    this.sizes.set(rows.sizes, at)
    this.types.set(rows.types, at)
    this.crcs.set(rows.crcs, at)
    this.ids.set(rows.ids, at * this.idLength)
    this.deltaAt.set(rows.deltaAt, at)
    this.count += rows.offsets.length
  }

  next(row: number): number {
    return this.nextSibling[row]!
  }

  setNext(row: number, following: number): void {
    this.nextSibling[row] = following
  }

  setFirst(parent: number, child: number): void {
    this.firstChild[parent] = child
  }

  addChild(parent: number, child: number): void {
    this.nextSibling[child] = this.firstChild[parent]!
    this.firstChild[parent] = child
  }

  /** The row of the entry that begins at this offset, or -1. Rows are in ascending order of offset. */
  rowAt(offset: number): number {
    return findOffset(this.offsets, offset, 0, this.count)
  }
}
