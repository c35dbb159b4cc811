import { yieldToHost } from '../../bytes/yield-to-host.ts'
import type { Deflate } from '../../codec/ports.ts'
import { DeltaTarget } from '../../delta/delta-target.ts'
import { encodeDelta } from '../../delta/encode-delta.ts'
import type { DeflatedEntries } from './deflated-entries.ts'
import { DeltaWindow, type WindowSlot } from './delta-window.ts'
import type { CheckedDeltaSearchOptions } from './search-options.ts'
import type { DeltaSearchColumns } from './search-order.ts'

/** Bytes of objects looked at between two turns of the host. */
const TURN = 4 << 20

/** A delta on an object of the same path that is so many times smaller than the object is looked for no further. */
const GOOD_ENOUGH = 8

/** Objects to search deltas among: what is known of them, and a way to their bodies. */
export interface DeltaSearchInput extends DeltaSearchColumns {
  /** Length of an object id in bytes. */
  readonly idLength: number
  /** The ordinals that take part, see {@link deltaSearchOrder}. */
  readonly order: Uint32Array
  /** By ordinal: how long the longest chain of settled deltas on this object is already. */
  readonly depthAbove: Uint16Array
  /** By ordinal: number of the pack that stores the object, -1 for none. */
  readonly packs: Int32Array
  /** 1 where that pack stores it whole. */
  readonly storedWhole: Uint8Array
  /** The body of an object, `undefined` when it has to be settled first. */
  tryBody(ordinal: number): Uint8Array | undefined
  settle(): Promise<void>
}

/** The deltas that were chosen, as columns by ordinal. */
export interface ChosenDeltas {
  /** Ordinal of the base, -1 for objects that are to be stored whole. */
  readonly bases: Int32Array
  /** Size of the delta in bytes, not deflated. */
  readonly deltaSizes: Uint32Array
}

export interface SearchDeltasOptions extends CheckedDeltaSearchOptions {
  readonly deflate: Deflate
  /** Leave out what the pack that stores an object whole must have tried before: the other objects of that pack as bases. */
  readonly trustPacks: boolean
  /** Objects that are stored whole, and stay so, need not be deflated. */
  readonly copyWhole: boolean
  /**
   * A number of the path of each object, 0 for none. An object is then not compared with objects of other paths once it was with one of
   * its own, nor with anything more once the delta is small: where paths are known for certain, that is where the delta is.
   */
  readonly paths?: Uint32Array
  /** Receives the deflated entry of each object that took part: its delta, or the object itself. */
  readonly deflated: DeflatedEntries
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number) => void
}

/**
 * Searches a delta for each object among those in front of it in the order, as git does: a window moves over them, each is compared
 * with what the window holds, most recent first, and takes the smallest delta, where a base that is deep in a chain must give a
 * smaller one. The same input gives the same output.
 *
 * @throws what `tryBody` and `settle` throw; the signal's reason when aborted
 */
export async function searchDeltas(
  input: DeltaSearchInput,
  chosen: ChosenDeltas,
  options: SearchDeltasOptions,
): Promise<void> {
  const search = new DeltaSearch(input, chosen, options)
  let sinceTurn = 0
  for (let k = 0; k < input.order.length; k++) {
    const ordinal = input.order[k]!
    let body = input.tryBody(ordinal)
    while (body === undefined) {
      options.signal?.throwIfAborted()
      await input.settle()
      body = input.tryBody(ordinal)
    }
    search.visit(ordinal, body)
    sinceTurn += body.length + 256
    if (sinceTurn < TURN) continue
    sinceTurn = 0
    options.onProgress?.(k + 1)
    await yieldToHost()
    options.signal?.throwIfAborted()
  }
}

class DeltaSearch {
  readonly #input: DeltaSearchInput
  readonly #chosen: ChosenDeltas
  readonly #options: SearchDeltasOptions
  readonly #window: DeltaWindow
  readonly #target = new DeltaTarget()
  /** The best delta so far, and the one being tried. */
  #best = new Uint8Array(4096)
  #trial = new Uint8Array(4096)

  constructor(input: DeltaSearchInput, chosen: ChosenDeltas, options: SearchDeltasOptions) {
    this.#input = input
    this.#chosen = chosen
    this.#options = options
    this.#window = new DeltaWindow(options.window, options.windowMemory)
  }

  /** Chooses the delta for one object, and lets it into the window. */
  visit(ordinal: number, body: Uint8Array): void {
    const window = this.#window
    const { deflate, deflated, depth, copyWhole } = this.#options
    const slot = window.enter(ordinal, body)
    const maxDepth = depth - this.#input.depthAbove[ordinal]!
    const base = maxDepth > 0 ? this.#chooseBase(slot, maxDepth) : undefined
    if (base === undefined) {
      if (!copyWhole || this.#input.storedWhole[ordinal] === 0) deflated.put(ordinal, deflate.deflate(body))
      window.advance()
      return
    }
    deflated.put(ordinal, deflate.deflate(this.#best, 0, this.#chosen.deltaSizes[ordinal]))
    // At the end of a chain it can be nobody's base: the next object takes its place.
    if (slot.depth >= maxDepth) return
    window.promote(base)
    window.advance()
  }

  #chooseBase(slot: WindowSlot, maxDepth: number): WindowSlot | undefined {
    const { ordinal } = slot
    const { bases, deltaSizes } = this.#chosen
    const type = this.#input.types[ordinal]!
    const window = this.#window
    let best: WindowSlot | undefined
    const { paths } = this.#options
    const path = paths?.[ordinal] ?? 0
    let metOwn = false
    let goodEnough = false
    this.#target.reset(slot.body)
    for (let back = 1; !goodEnough; back++) {
      const candidate = window.behind(back)
      if (candidate === undefined || this.#input.types[candidate.ordinal] !== type) break
      if (path > 0) {
        if (paths![candidate.ordinal] === path) metOwn = true
        else if (metOwn) continue
      }
      const size = this.#tryBase(slot, candidate, maxDepth, best === undefined ? -1 : deltaSizes[ordinal]!)
      if (size === undefined) continue
      if (path > 0 && metOwn && size * GOOD_ENOUGH <= slot.body.length) goodEnough = true
      best = candidate
      bases[ordinal] = candidate.ordinal
      deltaSizes[ordinal] = size
      slot.depth = candidate.depth + 1
      const delta = this.#trial
      this.#trial = this.#best
      this.#best = delta
    }
    return best
  }

  /** The size of the delta on this base, which is then in `#trial`; `undefined` when it is no better than the best so far. */
  #tryBase(target: WindowSlot, base: WindowSlot, maxDepth: number, bestSize: number): number | undefined {
    if (base.depth >= maxDepth || this.#wasTried(target.ordinal, base.ordinal)) return undefined
    const size = target.body.length
    const baseSize = base.body.length
    const most = bestSize < 0 ? Math.floor(size / 2) - this.#input.idLength : bestSize
    const reference = bestSize < 0 ? 1 : target.depth
    const maxSize = Math.floor((most * (maxDepth - base.depth)) / (maxDepth - reference + 1))
    if (maxSize <= 0) return undefined
    if (size - baseSize >= maxSize || size < baseSize / 32) return undefined
    if (this.#trial.length < maxSize) {
      this.#trial = new Uint8Array(Math.max(maxSize, 2 * this.#trial.length))
    }
    const length = encodeDelta(base.index, this.#target, this.#trial, 0, maxSize)
    if (length === undefined) return undefined
    if (length === bestSize && base.depth + 1 >= target.depth) return undefined
    return length
  }

  #wasTried(target: number, base: number): boolean {
    const { packs, storedWhole } = this.#input
    return this.#options.trustPacks && storedWhole[target] === 1 && packs[target] === packs[base]
  }
}
