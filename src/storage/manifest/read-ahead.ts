import { MAX_REQUEST } from './range-plan.ts'

/** Reads from this size on count as a stream when they follow each other. */
const LEAST_PIECE = 64 << 10
/** Streams that are followed in one file. */
const MAX_STREAMS = 16
/** A window that was not used for so long, in milliseconds, may be taken by others: its reader is gone, or slower than it matters. */
const IDLE = 10_000

interface Window {
  readonly offset: number
  readonly bytes: Promise<Uint8Array>
  used: number
  /** Forgets the window where it is kept. */
  readonly drop: () => void
}

/** What all files of a storage may hold in windows, in bytes. */
export class ReadAheadPool {
  readonly #most: number
  readonly #windows = new Set<Window>()

  /** @param maxBytes below one window nothing is read ahead. */
  constructor(maxBytes: number) {
    this.#most = Math.floor(maxBytes / MAX_REQUEST)
  }

  /** Makes room for one more window; false when all are in use. */
  tryMakeRoom(): boolean {
    if (this.#windows.size < this.#most) return true
    const now = Date.now()
    for (const window of this.#windows) {
      if (now - window.used < IDLE) continue
      window.drop()
      return this.#windows.size < this.#most
    }
    return false
  }

  add(window: Window): void {
    this.#windows.add(window)
  }

  delete(window: Window): void {
    this.#windows.delete(window)
  }
}

/**
 * Reads ahead of those who read a file from one piece to the next: a request fetches the pieces that will be asked for next, too.
 *
 * Several may read the same file, each at his place.
 */
export class ReadAhead {
  readonly #pool: ReadAheadPool
  readonly #size: number
  readonly #fetch: (offset: number, length: number) => Promise<Uint8Array>
  /** By the offset at which the next piece begins. */
  readonly #streams = new Map<number, Window | undefined>()

  constructor(
    pool: ReadAheadPool,
    size: number,
    fetch: (offset: number, length: number) => Promise<Uint8Array>,
  ) {
    this.#pool = pool
    this.#size = size
    this.#fetch = fetch
  }

  /** The bytes of a range where reading ahead helps; `undefined` where it does not: read it, then. */
  async tryRead(offset: number, length: number): Promise<Uint8Array | undefined> {
    if (length < LEAST_PIECE || length > MAX_REQUEST) return undefined
    const end = offset + length
    const follows = this.#streams.has(offset)
    let window = this.#streams.get(offset)
    this.#streams.delete(offset)
    if (window !== undefined) {
      const windowEnd = Math.min(window.offset + MAX_REQUEST, this.#size)
      if (end > windowEnd) {
        this.#pool.delete(window)
        window = undefined
      }
    }
    if (window === undefined && follows && end < this.#size && this.#pool.tryMakeRoom()) {
      window = this.#open(offset)
    }
    this.#follow(end, window)
    if (window === undefined) return undefined
    window.used = Date.now()
    const bytes = await window.bytes
    const at = offset - window.offset
    if (end === Math.min(window.offset + MAX_REQUEST, this.#size)) this.#forget(window)
    return bytes.slice(at, at + length)
  }

  #open(offset: number): Window {
    const drop = (): void => {
      this.#forget(window)
    }
    const bytes = this.#fetch(offset, Math.min(MAX_REQUEST, this.#size - offset))
    const window: Window = { offset, bytes, used: Date.now(), drop }
    bytes.catch(drop)
    this.#pool.add(window)
    return window
  }

  /** Expects the next piece of a stream. */
  #follow(next: number, window: Window | undefined): void {
    const replaced = this.#streams.get(next)
    if (replaced !== undefined && replaced !== window) this.#pool.delete(replaced)
    this.#streams.delete(next)
    this.#streams.set(next, window)
    for (const [oldest, left] of this.#streams) {
      if (this.#streams.size <= MAX_STREAMS) break
      this.#streams.delete(oldest)
      if (left !== undefined) this.#pool.delete(left)
    }
  }

  #forget(window: Window): void {
    this.#pool.delete(window)
    for (const [next, kept] of this.#streams) if (kept === window) this.#streams.set(next, undefined)
  }

  clear(): void {
    for (const window of this.#streams.values()) if (window !== undefined) this.#pool.delete(window)
    this.#streams.clear()
  }
}
