/** A growing byte buffer that is addressed by position, so that growing it moves nothing its users hold. */
export class Arena {
  /** The buffer. Read it anew after every call that may grow it. */
  bytes: Uint8Array<ArrayBuffer>
  /** How much of it is in use, for those who append. */
  length = 0

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity)
  }

  /** Makes sure that positions below `capacity` exist; content is kept. */
  ensure(capacity: number): void {
    if (capacity <= this.bytes.length) return
    const grown = new Uint8Array(
      Math.max(capacity, Math.min(2 * this.bytes.length, this.bytes.length + 0x4000000)),
    )
    grown.set(this.bytes)
    this.bytes = grown
  }

  /** Like {@link ensure}, doubling only up to `limit`: beyond that the buffer is as large as asked for. */
  ensureWithin(capacity: number, limit: number): void {
    if (capacity <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(capacity, Math.min(2 * this.bytes.length, limit)))
    grown.set(this.bytes)
    this.bytes = grown
  }

  /** Lets go of a buffer larger than `limit`, with its content. */
  shrink(limit: number): void {
    if (this.bytes.length <= limit) return
    this.bytes = new Uint8Array(limit)
    this.length = 0
  }

  /** Appends room for `size` bytes and returns where it begins. */
  reserve(size: number): number {
    const at = this.length
    this.ensure(at + size)
    this.length = at + size
    return at
  }
}
