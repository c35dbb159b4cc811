import { GitError } from '../../errors.ts'
import type { ChosenDeltas, SearchDeltasOptions } from './delta-search.ts'
import { readBody, type DeltaSearchInput } from './search-input.ts'
import type { Segment, SegmentQueue } from './search-segments.ts'
import type { FoundDeltas, SegmentLoad, SharedSegment } from './segment-search.ts'

const DEFAULT_LOAD_BYTES = 2 << 20
/** Loads that a thread has: one in work, one waiting. */
const LOADS = 2
const DEFAULT_MEMORY_BYTES = 256 << 20

/** Threads that search deltas together with the one that asks them. */
export interface SearchThreads {
  /** How many work together, that of the caller included. */
  readonly count: number
  /** What their codecs are called: only deflated by the same codecs are results the same. */
  readonly provider: string
  /** Has one of the other threads search a segment. */
  openSegment(segment: SharedSegment): SegmentThread
  /** Shares a search with the other threads. They bring it along: who has no threads need not have it in a bundle. */
  readonly createHelpers: typeof createSearchHelpers
}

/** A thread that searches a segment. */
export interface SegmentThread {
  /** Gives it the next objects, which it looks at when it is done with those before. */
  search(load: SegmentLoad): Promise<FoundDeltas>
  /** Lets it forget the segment. */
  close(): void
}

export interface SearchHelpersOptions extends SearchDeltasOptions {
  readonly threads: SearchThreads
  readonly queue: SegmentQueue
}

/** A segment that a thread searches. */
interface OpenSegment {
  readonly segment: Segment
  readonly thread: SegmentThread
  /** Bytes that it is reckoned to take. */
  readonly memory: number
  /** Where in the order the next load begins. */
  at: number
  /** Loads without an answer. */
  loads: number
}

/** @param options those of the search, and the segments that nobody searches yet. */
export function createSearchHelpers(
  input: DeltaSearchInput,
  chosen: ChosenDeltas,
  options: SearchHelpersOptions,
): SearchHelpers {
  return new SearchHelpers(input, chosen, options)
}

/**
 * What other threads do of a delta search: each is given a segment, load by load, so that memory depends on the size of loads and
 * windows only. Segments that would take more memory than there is are left to the thread that asks.
 */
export class SearchHelpers {
  readonly #input: DeltaSearchInput
  readonly #chosen: ChosenDeltas
  readonly #options: SearchHelpersOptions
  readonly #open = new Set<OpenSegment>()
  readonly #asked = new Set<Promise<void>>()
  readonly #spare: ArrayBuffer[] = []
  readonly #loadBytes: number
  #free: number
  #failure: { readonly error: unknown } | undefined
  /** How many objects were looked at. */
  count = 0

  constructor(input: DeltaSearchInput, chosen: ChosenDeltas, options: SearchHelpersOptions) {
    this.#input = input
    this.#chosen = chosen
    this.#options = options
    this.#loadBytes = options.loadBytes ?? DEFAULT_LOAD_BYTES
    this.#free = options.threadMemory ?? DEFAULT_MEMORY_BYTES
  }

  /** Whether an answer is waited for. */
  get isBusy(): boolean {
    return this.#asked.size > 0
  }

  /** Waits for the next answer. */
  async answer(): Promise<void> {
    await Promise.race(this.#asked)
  }

  /**
   * Gives work to every thread that has less than it could have.
   *
   * @throws what a thread failed with, as reading bodies does
   */
  async feed(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error
    const { threads } = this.#options
    while (this.#open.size < threads.count - 1 && this.#openNext());
    for (let loads = 0; loads < LOADS; loads++) {
      for (const open of this.#open) {
        if (open.loads <= loads && open.at < open.segment.end) this.#ask(open, await this.#readLoad(open))
      }
    }
  }

  #openNext(): boolean {
    const { queue, threads } = this.#options
    const segment = queue.take((waiting) => this.#memoryOf(waiting) <= this.#free)
    if (segment === undefined) return false
    const memory = this.#memoryOf(segment)
    this.#free -= memory
    const thread = threads.openSegment(this.#share(segment))
    this.#open.add({ segment, thread, memory, at: segment.start, loads: 0 })
    return true
  }

  /** What a thread takes for a segment: loads and what comes out of them, the window with its tables, the columns. */
  #memoryOf({ start, end, largest }: Segment): number {
    const { window, windowMemory } = this.#options
    const inWindow = Math.min(3 * (window + 1) * largest, windowMemory + 6 * largest)
    return 2 * LOADS * Math.max(this.#loadBytes, largest) + inWindow + 24 * (end - start)
  }

  #share({ start, end }: Segment): SharedSegment {
    const { idLength, order, types, sizes, depthAbove, packs, storedWhole } = this.#input
    const { window, depth, windowMemory, bigFileThreshold, trustPacks, copyWhole } = this.#options
    const shared = {
      rules: { window, depth, windowMemory, bigFileThreshold, trustPacks, copyWhole },
      idLength,
      sizes: new Uint32Array(end - start),
      types: new Uint8Array(end - start),
      depthAbove: new Uint16Array(end - start),
      packs: new Int32Array(end - start),
      storedWhole: new Uint8Array(end - start),
    }
    for (let place = 0; place < end - start; place++) {
      const ordinal = order[start + place]!
      shared.sizes[place] = sizes[ordinal]!
      shared.types[place] = types[ordinal]!
      shared.depthAbove[place] = depthAbove[ordinal]!
      shared.packs[place] = packs[ordinal]!
      shared.storedWhole[place] = storedWhole[ordinal]!
    }
    return shared
  }

  async #readLoad(open: OpenSegment): Promise<SegmentLoad> {
    const { order, sizes } = this.#input
    const { end } = open.segment
    let count = 0
    let bytes = 0
    while (open.at + count < end) {
      const size = sizes[order[open.at + count]!]!
      if (count > 0 && bytes + size > this.#loadBytes) break
      bytes += size
      count++
    }
    const bodies = this.#buffer(bytes)
    for (let at = 0, k = 0; k < count; k++) {
      const ordinal = order[open.at + k]!
      const body =
        this.#input.tryBody(ordinal) ?? (await readBody(this.#input, ordinal, this.#options.signal))
      if (body.length !== sizes[ordinal]) {
        throw new GitError('CORRUPT_OBJECT', 'an object changed while it was packed')
      }
      bodies.set(body, at)
      at += body.length
    }
    return { count, bodies }
  }

  #buffer(bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes > this.#loadBytes) return new Uint8Array(bytes)
    return new Uint8Array(this.#spare.pop() ?? new ArrayBuffer(this.#loadBytes), 0, bytes)
  }

  #ask(open: OpenSegment, load: SegmentLoad): void {
    const from = open.at
    open.at += load.count
    open.loads++
    const asked = open.thread.search(load).then(
      (found) => {
        this.#asked.delete(asked)
        this.#take(open, from, found)
      },
      (error: unknown) => {
        this.#asked.delete(asked)
        this.#failure ??= { error }
      },
    )
    this.#asked.add(asked)
  }

  /** Takes over what was found for the load that begins there in the order. */
  #take(open: OpenSegment, from: number, found: FoundDeltas): void {
    const { order } = this.#input
    const { bases, deltaSizes } = this.#chosen
    const { start, end } = open.segment
    const { deflated } = this.#options
    let entryAt = 0
    found.bases.forEach((base, k) => {
      const ordinal = order[from + k]!
      const entryEnd = entryAt + found.entryLengths[k]!
      if (base >= 0) bases[ordinal] = order[start + base]!
      deltaSizes[ordinal] = found.deltaSizes[k]!
      if (entryEnd > entryAt) deflated.put(ordinal, found.entries.subarray(entryAt, entryEnd))
      entryAt = entryEnd
    })
    this.count += found.bases.length
    if (found.buffer.byteLength === this.#loadBytes) this.#spare.push(found.buffer)
    open.loads--
    if (open.loads === 0 && open.at === end) this.#forget(open)
  }

  #forget(open: OpenSegment): void {
    if (!this.#open.delete(open)) return
    open.thread.close()
    this.#free += open.memory
  }

  /** Waits until no thread works for this search any more. */
  async close(): Promise<void> {
    for (const open of [...this.#open]) this.#forget(open)
    await Promise.all(this.#asked)
  }
}
