import type { Deflate } from '../../codec/ports.ts'
import { BaseChooser, type ChooserColumns, type ChooserRules } from './base-chooser.ts'
import type { ChosenDeltas } from './delta-search.ts'

/** What a thread has to know to search a segment; the columns are by place in the segment. It can be posted. */
export interface SharedSegment extends ChooserColumns {
  readonly rules: ChooserRules
  readonly sizes: Uint32Array
}

/** The next objects of a segment. */
export interface SegmentLoad {
  readonly count: number
  /** Their bodies, one behind the other. The buffer goes to the thread, and comes back with what was found. */
  readonly bodies: Uint8Array<ArrayBuffer>
}

/** What was found for the objects of a load, in their order. */
export interface FoundDeltas {
  /** Place of the base in the segment, -1 for objects that are to be stored whole. */
  readonly bases: Int32Array<ArrayBuffer>
  /** Size of the delta in bytes, not deflated. */
  readonly deltaSizes: Uint32Array<ArrayBuffer>
  /** Deflated entries, one behind the other. */
  readonly entries: Uint8Array<ArrayBuffer>
  /** Bytes of each of them, 0 where none was made. */
  readonly entryLengths: Uint32Array<ArrayBuffer>
  /** The buffer of the load. */
  readonly buffer: ArrayBuffer
}

/** The search of a segment load by load: what a thread does for another one. */
export class SegmentSearch {
  readonly #segment: SharedSegment
  readonly #chosen: ChosenDeltas
  readonly #chooser: BaseChooser
  #at = 0
  #entries = new Uint8Array(1 << 16)
  #entriesEnd = 0
  #entryLengths: Uint32Array<ArrayBuffer> = NONE
  #loadStart = 0

  constructor(segment: SharedSegment, deflate: Deflate) {
    const count = segment.sizes.length
    this.#segment = segment
    this.#chosen = { bases: new Int32Array(count).fill(-1), deltaSizes: new Uint32Array(count) }
    this.#chooser = new BaseChooser(segment, this.#chosen, {
      ...segment.rules,
      deflate,
      onEntry: (place, entry) => {
        this.#append(place, entry)
      },
    })
  }

  /** Searches deltas for the next objects. */
  search({ count, bodies }: SegmentLoad): FoundDeltas {
    const { sizes } = this.#segment
    const start = this.#at
    const end = start + count
    this.#loadStart = start
    this.#entryLengths = new Uint32Array(count)
    this.#entriesEnd = 0
    for (let from = 0; this.#at < end; this.#at++) {
      const to = from + sizes[this.#at]!
      this.#chooser.visit(this.#at, bodies.subarray(from, to))
      from = to
    }
    this.#chooser.letGoOf(bodies.buffer)
    return {
      bases: this.#chosen.bases.slice(start, end),
      deltaSizes: this.#chosen.deltaSizes.slice(start, end),
      entries: this.#entries.slice(0, this.#entriesEnd),
      entryLengths: this.#entryLengths,
      buffer: bodies.buffer,
    }
  }

  #append(place: number, entry: Uint8Array): void {
    const end = this.#entriesEnd + entry.length
    if (end > this.#entries.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#entries.length))
      grown.set(this.#entries.subarray(0, this.#entriesEnd))
      this.#entries = grown
    }
    this.#entries.set(entry, this.#entriesEnd)
    this.#entriesEnd = end
    this.#entryLengths[place - this.#loadStart] = entry.length
  }
}

const NONE = /* @__PURE__ */ new Uint32Array(0)
