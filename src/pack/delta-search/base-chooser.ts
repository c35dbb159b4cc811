import type { Deflate } from '../../codec/ports.ts'
import { DeltaTarget } from '../../delta/delta-target.ts'
import { encodeDelta } from '../../delta/encode-delta.ts'
import type { ChosenDeltas } from './delta-search.ts'
import { DeltaWindow, type WindowSlot } from './delta-window.ts'
import type { CheckedDeltaSearchOptions } from './search-options.ts'

/** A delta on an object of the same path that is so many times smaller than the object is looked for no further. */
const GOOD_ENOUGH = 8

/** What is known of the objects that bases are chosen for, as columns by ordinal. */
export interface ChooserColumns {
  /** Length of an object id in bytes. */
  readonly idLength: number
  readonly types: Uint8Array
  /** How long the longest chain of settled deltas on this object is already. */
  readonly depthAbove: Uint16Array
  /** Number of the pack that stores the object, -1 for none. */
  readonly packs: Int32Array
  /** 1 where that pack stores it whole. */
  readonly storedWhole: Uint8Array
}

/** How bases are chosen, as far as it can be posted to a thread. */
export interface ChooserRules extends CheckedDeltaSearchOptions {
  /** Leave out what the pack that stores an object whole must have tried before: the other objects of that pack as bases. */
  readonly trustPacks: boolean
  /** Objects that are stored whole, and stay so, need not be deflated. */
  readonly copyWhole: boolean
}

export interface BaseChooserOptions extends ChooserRules {
  readonly deflate: Deflate
  /**
   * A number of the path of each object, 0 for none. An object is then not compared with objects of other paths once it was with one of
   * its own, nor with anything more once the delta is small: where paths are known for certain, that is where the delta is.
   */
  readonly paths?: Uint32Array
  /** Receives the deflated entry of an object: its delta, or the object itself. */
  readonly onEntry: (ordinal: number, entry: Uint8Array) => void
}

/**
 * Chooses the base of one object after the other among those that it met before, as git does: each is compared with what the window
 * holds, most recent first, and takes the smallest delta, where a base that is deep in a chain must give a smaller one.
 */
export class BaseChooser {
  readonly #columns: ChooserColumns
  readonly #chosen: ChosenDeltas
  readonly #options: BaseChooserOptions
  readonly #window: DeltaWindow
  readonly #target = new DeltaTarget()
  /** The best delta so far, and the one being tried. */
  #best = new Uint8Array(4096)
  #trial = new Uint8Array(4096)

  constructor(columns: ChooserColumns, chosen: ChosenDeltas, options: BaseChooserOptions) {
    this.#columns = columns
    this.#chosen = chosen
    this.#options = options
    this.#window = new DeltaWindow(options.window, options.windowMemory)
  }

  /** Chooses the delta for one object, and lets it into the window, which holds on to the body. */
  visit(ordinal: number, body: Uint8Array): void {
    const window = this.#window
    const { deflate, onEntry, depth, copyWhole } = this.#options
    const slot = window.enter(ordinal, body)
    const maxDepth = depth - this.#columns.depthAbove[ordinal]!
    const base = maxDepth > 0 ? this.#chooseBase(slot, maxDepth) : undefined
    if (base === undefined) {
      if (!copyWhole || this.#columns.storedWhole[ordinal] === 0) onEntry(ordinal, deflate.deflate(body))
      window.advance()
      return
    }
    onEntry(ordinal, deflate.deflate(this.#best, 0, this.#chosen.deltaSizes[ordinal]))
    // At the end of a chain it can be nobody's base: the next object takes its place.
    if (slot.depth >= maxDepth) return
    window.promote(base)
    window.advance()
  }

  /** Copies what the window holds of this buffer, which can then be used for something else. */
  letGoOf(buffer: ArrayBufferLike): void {
    this.#window.letGoOf(buffer)
  }

  #chooseBase(slot: WindowSlot, maxDepth: number): WindowSlot | undefined {
    const { ordinal } = slot
    const { bases, deltaSizes } = this.#chosen
    const type = this.#columns.types[ordinal]!
    const window = this.#window
    let best: WindowSlot | undefined
    const { paths } = this.#options
    const path = paths?.[ordinal] ?? 0
    let metOwn = false
    let goodEnough = false
    this.#target.reset(slot.body)
    for (let back = 1; !goodEnough; back++) {
      const candidate = window.behind(back)
      if (candidate === undefined || this.#columns.types[candidate.ordinal] !== type) break
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
    const most = bestSize < 0 ? Math.floor(size / 2) - this.#columns.idLength : bestSize
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
    const { packs, storedWhole } = this.#columns
    return this.#options.trustPacks && storedWhole[target] === 1 && packs[target] === packs[base]
  }
}
