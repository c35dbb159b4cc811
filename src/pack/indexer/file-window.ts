/** A file that ranges can be read of, such as a staged pack. */
export interface RangeReader {
  readonly size: number
  /** What one call reads best, in bytes, where calls are dear: a few bytes cost hardly less then. */
  readonly readBytes?: number
  /** One array per range, of exactly its length, owned by the caller. */
  read(
    ranges: readonly { readonly offset: number; readonly length: number }[],
  ): Promise<readonly Uint8Array[]>
}

/** Where the entries of a file lie: by row, in the order of the file. */
export interface EntryBounds {
  begin(row: number): number
  end(row: number): number
}

/** What is asked of the file in one call: bytes, unless it says what it likes, and ranges. */
const READ_BYTES = 1 << 20
const MAX_RANGES = 1024
/** So much between two entries is read along, because it costs less than another range; where calls are dear, a part of a call. */
const GAP = 1 << 14
const GAP_PART = 16
/** What an entry weighs beyond its bytes: its row, where it is, and its note. */
const ENTRY_OVERHEAD = 16
const ABSENT = 0xffffffff

/** Rows whose entries are read in one range. */
interface Run {
  readonly offset: number
  length: number
  /** Places in the list of wanted rows. */
  readonly from: number
  to: number
}

/**
 * Entries of a file in a fixed amount of memory: synchronous reading of what is resident, and reading of what is going to be needed in
 * few calls, in the order of the file.
 */
export class FileWindow {
  readonly #file: RangeReader
  readonly #entries: EntryBounds
  readonly #maxBytes: number
  readonly #readBytes: number
  readonly #gap: number
  /** The entries, one behind the other. Made when the first one comes. */
  #bytes = new Uint8Array(0)
  /** Rows that are resident, in order, and where the entry of each is in `bytes`. */
  #rows = new Uint32Array(0)
  #positions = new Uint32Array(0)
  /** Rows that are going to be needed, resident or not. */
  #wanted: number[] = []
  #wantedBytes = 0
  /** Where the entry is that was found last. Only valid until the next call. */
  at = 0

  /** @param maxBytes memory for entries; a call to the file may take what it reads beside it. */
  constructor(file: RangeReader, entries: EntryBounds, maxBytes: number) {
    this.#file = file
    this.#entries = entries
    this.#maxBytes = Math.floor(maxBytes)
    this.#readBytes = file.readBytes ?? READ_BYTES
    this.#gap = file.readBytes === undefined ? GAP : file.readBytes / GAP_PART
  }

  /** What `at` is in. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** The longest entry that can be asked for. */
  get maxEntry(): number {
    return Math.floor(this.#maxBytes / 4) - ENTRY_OVERHEAD
  }

  /** Makes an entry readable through `bytes` and `at`, if it is resident. */
  tryEntry(row: number): boolean {
    const found = this.#find(row)
    if (found === ABSENT) return false
    this.at = found
    return true
  }

  #find(row: number): number {
    const rows = this.#rows
    let low = 0
    let high = rows.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = rows[middle]!
      if (other === row) return this.#positions[middle]!
      if (other < row) low = middle + 1
      else high = middle
    }
    return ABSENT
  }

  /**
   * Notes an entry that is going to be needed, each once, to be made resident by `settle`.
   *
   * @returns false when no more can be noted.
   */
  want(row: number): boolean {
    const bytes = this.#wantedBytes + this.#lengthOf(row) + ENTRY_OVERHEAD
    if (bytes > this.#maxBytes) return false
    this.#wanted.push(row)
    this.#wantedBytes = bytes
    return true
  }

  #lengthOf(row: number): number {
    return this.#entries.end(row) - this.#entries.begin(row)
  }

  /** Makes what was noted resident, and nothing else. Begins a new list of what is noted. */
  async settle(): Promise<void> {
    const rows = Uint32Array.from(this.#wanted).sort()
    this.#wanted = []
    this.#wantedBytes = 0
    const positions = rows.map((row) => this.#find(row))
    let used = this.#keep(rows, positions)
    // Until everything is there nothing is: a call that fails leaves no row without its bytes.
    this.#rows = new Uint32Array(0)
    if (this.#bytes.length === 0) this.#bytes = new Uint8Array(this.#maxBytes)
    for (let next = 0; next < rows.length;) {
      const runs = this.#planCall(rows, positions, next)
      const read = await this.#file.read(runs.map(({ offset, length }) => ({ offset, length })))
      runs.forEach(({ offset, from, to }, k) => {
        const bytes = read[k]!
        for (let at = from; at < to; at++) {
          if (positions[at] !== ABSENT) continue
          const row = rows[at]!
          const begin = this.#entries.begin(row) - offset
          const length = this.#lengthOf(row)
          this.#bytes.set(bytes.subarray(begin, begin + length), used)
          positions[at] = used
          used += length
        }
      })
      next = runs.at(-1)?.to ?? rows.length
    }
    this.#rows = rows
    this.#positions = positions
  }

  /** Moves those of the rows that are resident to the front, in the order in which they lie. Returns how many bytes they have. */
  #keep(rows: Uint32Array, positions: Uint32Array): number {
    const kept: number[] = []
    positions.forEach((position, at) => {
      if (position !== ABSENT) kept.push(at)
    })
    kept.sort((left, right) => positions[left]! - positions[right]!)
    let used = 0
    for (const at of kept) {
      const length = this.#lengthOf(rows[at]!)
      this.#bytes.copyWithin(used, positions[at]!, positions[at]! + length)
      positions[at] = used
      used += length
    }
    return used
  }

  /** The ranges of one call: those of absent rows from place `next` on, neighbours together. */
  #planCall(rows: Uint32Array, positions: Uint32Array, next: number): Run[] {
    const runs: Run[] = []
    let total = 0
    for (let at = next; at < rows.length; at++) {
      if (positions[at] !== ABSENT) continue
      const offset = this.#entries.begin(rows[at]!)
      const length = this.#lengthOf(rows[at]!)
      const run = runs.at(-1)
      const added = run === undefined ? length : offset + length - (run.offset + run.length)
      const isNear = run !== undefined && added - length <= this.#gap
      if (total > 0 && total + (isNear ? added : length) > this.#readBytes) break
      if (isNear) {
        run.length += added
        run.to = at + 1
        total += added
      } else if (runs.length < MAX_RANGES) {
        runs.push({ offset, length, from: at, to: at + 1 })
        total += length
      } else {
        break
      }
    }
    return runs
  }
}
