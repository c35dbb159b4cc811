interface Entry<Value> {
  readonly space: Map<number, Entry<Value>>
  readonly key: number
  readonly value: Value
  readonly weight: number
  older: Entry<Value> | undefined
  newer: Entry<Value> | undefined
}

/**
 * A least-recently-used cache bounded by the bytes its values weigh, and divided into spaces that share that bound.
 *
 * Each user opens a space with number keys of its own; the least recently used value of all spaces is evicted first. Made at
 * the edge and passed down.
 */
export class SharedLru<Value> {
  #maxBytes: number
  readonly #changed: (bytes: number) => void
  #bytes = 0
  #newest: Entry<Value> | undefined
  #oldest: Entry<Value> | undefined

  /** @param changed is told how many bytes are held, whenever that may have changed. */
  constructor(maxBytes: number, changed: (bytes: number) => void = () => undefined) {
    this.#maxBytes = maxBytes
    this.#changed = changed
  }

  /** How many bytes may be held now. */
  get maxBytes(): number {
    return this.#maxBytes
  }

  /** Sets how many bytes may be held from now on, and evicts what is more. */
  limit(maxBytes: number): void {
    this.#maxBytes = maxBytes
    this.#evict()
  }

  /** Bytes held now, in all spaces. */
  get bytes(): number {
    return this.#bytes
  }

  /** Opens a new, empty space. */
  openSpace(): LruSpace<Value> {
    const entries = new Map<number, Entry<Value>>()
    return {
      get: (key) => {
        const entry = entries.get(key)
        if (entry === undefined) return undefined
        if (entry !== this.#newest) {
          this.#unlink(entry)
          this.#link(entry)
        }
        return entry.value
      },
      set: (key, value, weight) => {
        const former = entries.get(key)
        if (former !== undefined) this.#remove(former)
        if (weight > this.#maxBytes) {
          if (former !== undefined) this.#changed(this.#bytes)
          return
        }
        const entry: Entry<Value> = { space: entries, key, value, weight, older: undefined, newer: undefined }
        entries.set(key, entry)
        this.#bytes += weight
        this.#link(entry)
        this.#evict()
        this.#changed(this.#bytes)
      },
      clear: () => {
        for (const entry of entries.values()) {
          this.#unlink(entry)
          this.#bytes -= entry.weight
        }
        entries.clear()
        this.#changed(this.#bytes)
      },
    }
  }

  #evict(): void {
    while (this.#bytes > this.#maxBytes && this.#oldest !== undefined) this.#remove(this.#oldest)
  }

  #remove(entry: Entry<Value>): void {
    this.#unlink(entry)
    entry.space.delete(entry.key)
    this.#bytes -= entry.weight
  }

  #link(entry: Entry<Value>): void {
    entry.older = this.#newest
    entry.newer = undefined
    if (this.#newest === undefined) this.#oldest = entry
    else this.#newest.newer = entry
    this.#newest = entry
  }

  #unlink(entry: Entry<Value>): void {
    if (entry.older === undefined) this.#oldest = entry.newer
    else entry.older.newer = entry.newer
    if (entry.newer === undefined) this.#newest = entry.older
    else entry.newer.older = entry.older
  }
}

/** One user's part of a {@link SharedLru}. */
export interface LruSpace<Value> {
  /** The value, which becomes the most recently used one. */
  get(key: number): Value | undefined
  /** Stores a value and evicts others as needed. A value heavier than the whole cache is not stored. */
  set(key: number, value: Value, weight: number): void
  /** Forgets all values of this space. */
  clear(): void
}
