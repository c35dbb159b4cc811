import { IdTable } from '../../object/id-table.ts'

/** Where entries are linked: the deltas on each as a list of rows. */
export interface DeltaLinks {
  /** The row behind this one in its list, or -1. */
  next(row: number): number
  /** Puts `row` in front of `following`, -1 for none. */
  setNext(row: number, following: number): void
  /** Makes `child` the first delta on `parent`, or none with -1. */
  setFirst(parent: number, child: number): void
  /** Puts `child` at the head of the list of deltas on `parent`. */
  addChild(parent: number, child: number): void
}

/** Ref-deltas whose base has not been met yet: by the id of the base, the rows that wait for it. */
export class WaitingDeltas {
  readonly #ids: IdTable
  /** Head of the list of rows by ordinal of `#ids`, -1 once nobody waits. */
  readonly #heads: number[] = []
  readonly #links: DeltaLinks

  constructor(idLength: number, links: DeltaLinks) {
    this.#ids = new IdTable(idLength)
    this.#links = links
  }

  /** Whether no delta was ever added. */
  get isEmpty(): boolean {
    return this.#ids.size === 0
  }

  /** Lets `row` wait for the object whose id is at `bytes[at]`. */
  add(bytes: Uint8Array, at: number, row: number): void {
    const ordinal = this.#ids.add(bytes, at)
    this.#links.setNext(row, this.#heads[ordinal] ?? -1)
    this.#heads[ordinal] = row
  }

  /** Puts those that wait for the id at `ids[at]` under `row`. */
  adopt(ids: Uint8Array, at: number, row: number): void {
    if (this.#ids.size === 0) return
    const ordinal = this.#ids.find(ids, at)
    if (ordinal < 0) return
    for (let waiting = this.#heads[ordinal]!; waiting >= 0;) {
      const following = this.#links.next(waiting)
      this.#links.addChild(row, waiting)
      waiting = following
    }
    this.#heads[ordinal] = -1
  }

  /** Whether anybody waits for this raw id. */
  isWanted(id: Uint8Array): boolean {
    const ordinal = this.#ids.find(id)
    return ordinal >= 0 && this.#heads[ordinal]! >= 0
  }

  /** Ids that are still waited for. Raw copies, in the order they were first named. */
  missing(): Uint8Array[] {
    const missing: Uint8Array[] = []
    for (let ordinal = 0; ordinal < this.#ids.size; ordinal++) {
      if (this.#heads[ordinal]! >= 0) missing.push(this.#ids.id(ordinal))
    }
    return missing
  }
}
