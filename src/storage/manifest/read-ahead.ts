import { MAX_REQUEST } from './range-plan.ts'

/** Reads of these sizes count as a stream when they follow each other. Who reads more at once needs nobody to read ahead of him. */
const LEAST_PIECE = 64 << 10
const LARGEST_PIECE = 2 << 20
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
  /** All of a file that fits one window, once any of it was read. */
  #whole: Window | undefined
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
    if (length < LEAST_PIECE || length > LARGEST_PIECE) return undefined
    if (this.#size <= MAX_REQUEST) return this.#tryWhole(offset, length)
    const end = offset + length
    const follows = this.#streams.has(offset)
    const first = this.#streams.get(offset)
    this.#streams.delete(offset)
    const last = this.#windowTo(first, offset, end, follows)
    this.#follow(end, last)
    if (last === undefined) {
      if (first !== undefined) this.#forget(first)
      return undefined
    }
    last.used = Date.now()
    const [head, tail] = await Promise.all([first?.bytes, last.bytes])
    if (first !== undefined && first !== last) this.#forget(first)
    if (end === this.#endOf(last)) this.#forget(last)
    if (head === undefined || first === last) return tail.slice(offset - last.offset, end - last.offset)
    const bytes = new Uint8Array(length)
    bytes.set(head.subarray(offset - first!.offset))
    bytes.set(tail.subarray(0, end - last.offset), last.offset - offset)
    return bytes
  }

  /** Who reads one part of a small file goes on with others, as one follows deltas and trees: all of it costs one request. */
  async #tryWhole(offset: number, length: number): Promise<Uint8Array | undefined> {
    if (length === this.#size) return undefined
    if (this.#whole === undefined && this.#pool.tryMakeRoom()) this.#whole = this.#open(0)
    const whole = this.#whole
    if (whole === undefined) return undefined
    whole.used = Date.now()
    return (await whole.bytes).slice(offset, offset + length)
  }

  /** The window in which a range ends: the one in which it begins, or the next. */
  #windowTo(first: Window | undefined, offset: number, end: number, follows: boolean): Window | undefined {
    if (first !== undefined && end <= this.#endOf(first)) return first
    if (!follows || end >= this.#size || !this.#pool.tryMakeRoom()) return undefined
    return this.#open(first === undefined ? offset : this.#endOf(first))
  }

  #endOf(window: Window): number {
    return Math.min(window.offset + MAX_REQUEST, this.#size)
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
    if (this.#whole === window) this.#whole = undefined
    for (const [next, kept] of this.#streams) if (kept === window) this.#streams.set(next, undefined)
  }

  clear(): void {
    if (this.#whole !== undefined) this.#forget(this.#whole)
    for (const window of this.#streams.values()) if (window !== undefined) this.#pool.delete(window)
    this.#streams.clear()
  }
}
