import { BandBuffer, encodeBand, KEEPALIVE_PKT } from './side-band.ts'

/**
 * The way back to a peer while work is going on: data on band 1, messages for people on band 2, and a sign of life when
 * neither came for a while. Without a side-band (`packetMax` 0) data flows as it is and messages are dropped.
 */
export class BandChannel {
  readonly packetMax: number
  readonly #keepAliveMilliseconds: number
  readonly #data: BandBuffer | undefined
  #messages = ''
  #wake: (() => void) | undefined

  constructor(packetMax: number, keepAliveSeconds: number) {
    this.packetMax = packetMax
    this.#keepAliveMilliseconds = 1000 * keepAliveSeconds
    this.#data = packetMax > 0 ? new BandBuffer(packetMax) : undefined
  }

  /** Queues text for band 2; it leaves with the next packets. */
  say(text: string): void {
    if (this.packetMax === 0 || text === '') return
    this.#messages += text
    this.#wake?.()
  }

  /** Yields queued messages. */
  *messages(): Generator<Uint8Array, void, undefined> {
    const text = this.#messages
    if (text === '') return
    this.#messages = ''
    yield encodeBand(2, text, this.packetMax)
  }

  /** Sends data; small pieces wait for a full packet or for {@link flush}. */
  *data(piece: Uint8Array): Generator<Uint8Array, void, undefined> {
    if (this.#data === undefined) yield piece
    else yield* this.#data.push(piece)
  }

  /** Yields whatever waits. */
  *flush(): Generator<Uint8Array, void, undefined> {
    if (this.#data !== undefined) yield* this.#data.flush()
    yield* this.messages()
  }

  /**
   * Waits for work, and yields what is said meanwhile, and signs of life. `quiet` tells when these must not be sent.
   *
   * The consumer's pace holds back packets, not the work itself: back-pressure on data comes from asking for the next
   * piece only when the last one has gone.
   */
  async *during<T>(work: Promise<T>, isQuiet?: () => boolean): AsyncGenerator<Uint8Array, T, undefined> {
    const state = { settled: false }
    const settle = (): void => {
      state.settled = true
      this.#wake?.()
    }
    // Failures are not lost here: they are thrown by awaiting the work below.
    work.then(settle, settle)
    // What is ready already is not worth a timer.
    await Promise.resolve()
    while (!state.settled) {
      const spoke = await this.#rest()
      if (this.packetMax === 0) continue
      yield* this.messages()
      if (!spoke && isQuiet?.() !== true) {
        yield* this.flush()
        yield KEEPALIVE_PKT
      }
    }
    const result = await work
    yield* this.messages()
    return result
  }

  /** Rests until something is said or settled (true), or the time for a sign of life has come (false). */
  async #rest(): Promise<boolean> {
    if (this.#messages !== '') return true
    let timer: ReturnType<typeof setTimeout> | undefined
    try {
      return await new Promise<boolean>((resolve) => {
        this.#wake = () => {
          resolve(true)
        }
        if (this.packetMax > 0 && this.#keepAliveMilliseconds > 0) {
          timer = setTimeout(resolve, this.#keepAliveMilliseconds, false)
        }
      })
    } finally {
      clearTimeout(timer)
      this.#wake = undefined
    }
  }
}
