/** A part of a {@link MemoryPool} that somebody holds. */
export interface Reservation {
  /** Bytes held now. */
  readonly bytes: number
  /** Holds more, if that is free and nobody waits. Returns whether it does. */
  tryGrow(bytes: number): boolean
  /** Holds less. */
  shrink(bytes: number): void
  /** Gives everything back. Idempotent. */
  release(): void
}

interface Waiting {
  readonly bytes: number
  readonly grant: () => void
}

/**
 * A number of bytes that is shared out: who asks for more than is free waits, in the order of asking.
 *
 * It only counts. Nobody may wait while holding a part, or two could wait for each other: more is only ever tried for.
 */
export class MemoryPool {
  readonly bytes: number
  #free: number
  readonly #queue: Waiting[] = []

  constructor(bytes: number) {
    this.bytes = bytes
    this.#free = bytes
  }

  /** Bytes nobody holds. */
  get free(): number {
    return this.#free
  }

  /**
   * Waits until so many bytes are free and holds them; never more than there are in all.
   *
   * @throws the signal's reason when it fires first.
   */
  async reserve(bytes: number, signal?: AbortSignal): Promise<Reservation> {
    signal?.throwIfAborted()
    const wanted = Math.min(bytes, this.bytes)
    if (this.#queue.length > 0 || wanted > this.#free) await this.#wait(wanted, signal)
    else this.#free -= wanted
    return this.#hold(wanted)
  }

  #wait(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#queue.splice(this.#queue.indexOf(waiting), 1)
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whoever aborts says why, in any form
        reject(signal?.reason)
        this.#serve()
      }
      const waiting: Waiting = {
        bytes,
        grant: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#queue.push(waiting)
    })
  }

  #hold(bytes: number): Reservation {
    let held = bytes
    return {
      get bytes() {
        return held
      },
      tryGrow: (wanted) => {
        const more = wanted - held
        if (more <= 0) return true
        if (this.#queue.length > 0 || more > this.#free) return false
        this.#free -= more
        held = wanted
        return true
      },
      shrink: (wanted) => {
        if (wanted >= held) return
        this.#free += held - wanted
        held = wanted
        this.#serve()
      },
      release: () => {
        this.#free += held
        held = 0
        this.#serve()
      },
    }
  }

  #serve(): void {
    for (let [first] = this.#queue; first !== undefined && first.bytes <= this.#free; [first] = this.#queue) {
      this.#queue.shift()
      this.#free -= first.bytes
      first.grant()
    }
  }
}
