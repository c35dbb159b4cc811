/**
 * A cache of what was read from immutable files, bounded by the bytes of those files; the one that was not used for longest goes first.
 * Who asks for what is being read waits for it.
 */
export class FileCache<Value> {
  readonly #maxBytes: number
  readonly #entries = new Map<string, { readonly value: Promise<Value>; readonly size: number }>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** @param read reads the file where it is not in the cache; what it throws is not kept. */
  get(file: string, size: number, read: () => Promise<Value>): Promise<Value> {
    const known = this.#entries.get(file)
    if (known !== undefined) {
      this.#entries.delete(file)
      this.#entries.set(file, known)
      return known.value
    }
    if (size > this.#maxBytes) return read()
    const entry = { value: read(), size }
    this.#entries.set(file, entry)
    this.#bytes += size
    entry.value.catch(() => {
      this.#remove(file, entry)
    })
    for (const [oldest, { size: freed }] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) break
      this.#entries.delete(oldest)
      this.#bytes -= freed
    }
    return entry.value
  }

  /** Keeps what was just written. */
  set(file: string, size: number, value: Value): void {
    void this.get(file, size, () => Promise.resolve(value))
  }

  clear(): void {
    this.#entries.clear()
    this.#bytes = 0
  }

  #remove(file: string, entry: { readonly size: number }): void {
    if (this.#entries.get(file) !== entry) return
    this.#entries.delete(file)
    this.#bytes -= entry.size
  }
}
