import { yieldToHost } from '../../bytes/yield-to-host.ts'
import type { Deflate } from '../../codec/ports.ts'
import { BaseChooser, type ChooserRules } from './base-chooser.ts'
import type { DeflatedEntries } from './deflated-entries.ts'
import type { SearchThreads } from './search-helpers.ts'
import { readBody, type DeltaSearchInput } from './search-input.ts'
import { SegmentQueue, type Segment } from './search-segments.ts'

/** Bytes of objects looked at between two turns of the host. */
const TURN = 4 << 20
/** The same where others wait for work. */
const TURN_WITH_HELPERS = 1 << 20

/** The deltas that were chosen, as columns by ordinal. */
export interface ChosenDeltas {
  /** Ordinal of the base, -1 for objects that are to be stored whole. */
  readonly bases: Int32Array
  /** Size of the delta in bytes, not deflated. */
  readonly deltaSizes: Uint32Array
}

export interface SearchDeltasOptions extends ChooserRules {
  readonly deflate: Deflate
  /** See {@link BaseChooser}. */
  readonly paths?: Uint32Array
  /** Where in the order segments end, each with a window of its own, see `cutSegments`. Default: the order is one segment. */
  readonly segmentEnds?: readonly number[]
  /** Threads that search segments too. */
  readonly threads?: SearchThreads
  /** Bytes that those may take together, in messages and windows. Default 256 MiB. */
  readonly threadMemory?: number
  /** Bytes of objects that are posted to a thread at once. Default 2 MiB. */
  readonly loadBytes?: number
  /** Receives the deflated entry of each object that took part: its delta, or the object itself. */
  readonly deflated: DeflatedEntries
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number) => void
}

/**
 * Searches a delta for each object among those in front of it in its segment of the order, see {@link BaseChooser}. The same input
 * gives the same output, with any number of threads.
 *
 * @throws what `tryBody` and `settle` throw; the signal's reason when aborted; GitError `STORAGE` when a thread has ended
 */
export async function searchDeltas(
  input: DeltaSearchInput,
  chosen: ChosenDeltas,
  options: SearchDeltasOptions,
): Promise<void> {
  const { signal, threads } = options
  const queue = new SegmentQueue(input, options.segmentEnds)
  const own = new OwnSearch(input, chosen, options)
  const helpers =
    threads === undefined || threads.count === 1
      ? undefined
      : threads.createHelpers(input, chosen, { ...options, threads, queue })
  const turn = helpers === undefined ? TURN : TURN_WITH_HELPERS
  try {
    for (;;) {
      signal?.throwIfAborted()
      await helpers?.feed()
      if (own.isDone) own.begin(queue.take())
      if (!own.isDone) await own.search(turn)
      else if (helpers?.isBusy === true) await helpers.answer()
      else return
      options.onProgress?.(own.count + (helpers?.count ?? 0))
      await yieldToHost()
    }
  } finally {
    await helpers?.close()
  }
}

/** The search of the thread that asks. */
class OwnSearch {
  readonly #input: DeltaSearchInput
  readonly #chosen: ChosenDeltas
  readonly #options: SearchDeltasOptions
  #chooser: BaseChooser | undefined
  #at = 0
  #end = 0
  /** How many objects were looked at. */
  count = 0

  constructor(input: DeltaSearchInput, chosen: ChosenDeltas, options: SearchDeltasOptions) {
    this.#input = input
    this.#chosen = chosen
    this.#options = options
  }

  get isDone(): boolean {
    return this.#at === this.#end
  }

  begin(segment: Segment | undefined): void {
    if (segment === undefined) return
    const { deflated } = this.#options
    this.#chooser = new BaseChooser(this.#input, this.#chosen, {
      ...this.#options,
      onEntry: (ordinal, entry) => {
        deflated.put(ordinal, entry)
      },
    })
    this.#at = segment.start
    this.#end = segment.end
  }

  /** Goes on with the segment for about so many bytes. */
  async search(bytes: number): Promise<void> {
    const { order } = this.#input
    for (let done = 0; done < bytes && this.#at < this.#end; this.#at++) {
      const ordinal = order[this.#at]!
      const body =
        this.#input.tryBody(ordinal) ?? (await readBody(this.#input, ordinal, this.#options.signal))
      this.#chooser?.visit(ordinal, body)
      this.count++
      done += body.length + 256
    }
  }
}
