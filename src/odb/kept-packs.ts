import type { LruSpace, SharedLru } from '../bytes/shared-lru.ts'
import type { Framing } from './framing.ts'
import { StateMemory } from './known-requests.ts'

/** A pack that was made for somebody, wrapped as it was sent. */
export interface KeptPack {
  readonly objectCount: number
  readonly deltaCount: number
  readonly reusedCount: number
  readonly reusedDeltaCount: number
  /** How its pieces are wrapped. */
  readonly framing: Framing
  /** Shared with all who get it: never write to them. */
  readonly pieces: readonly Uint8Array[]
}

interface Entry {
  readonly pack: Omit<KeptPack, 'pieces'>
  readonly keys: readonly number[]
}

/**
 * Packs that were asked for more than once, kept for the next who asks for the same, within the memory of the cache that they share.
 *
 * A pack is known by the state of the repository, an object that stands for it as long as it lasts, and by a digest of the request. Half
 * of a pack is of no use, so one whose pieces were evicted in part is forgotten.
 */
export class KeptPacks {
  /** The largest pack that is kept. */
  readonly maxBytes: number
  readonly #pieces: LruSpace<Uint8Array>
  readonly #requests = new StateMemory<Entry | 'asked once'>()
  #nextKey = 0

  constructor(cache: SharedLru<Uint8Array>) {
    this.maxBytes = cache.maxBytes / 2
    this.#pieces = cache.openSpace()
  }

  /** The pack that answers a request. If there is none, tells whether it is worth keeping when it is made. */
  find(state: object, request: string): KeptPack | 'keep' | 'make' {
    const entry = this.#requests.get(state, request)
    if (entry === undefined) {
      this.#requests.set(state, request, 'asked once')
      return 'make'
    }
    if (entry === 'asked once') return 'keep'
    const pieces: Uint8Array[] = []
    for (const key of entry.keys) {
      const piece = this.#pieces.get(key)
      if (piece === undefined) return 'keep'
      pieces.push(piece)
    }
    return { ...entry.pack, pieces }
  }

  put(state: object, request: string, { pieces, ...pack }: KeptPack): void {
    const keys = pieces.map((piece) => {
      const key = this.#nextKey++
      this.#pieces.set(key, piece, piece.length)
      return key
    })
    this.#requests.set(state, request, { pack, keys })
  }
}
