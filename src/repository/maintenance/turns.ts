import { yieldToHost } from '../../bytes/yield-to-host.ts'

/** Objects looked at between two turns of the host. */
const TURN = 16384

/** Gives the host a turn now and then. */
export class Turns {
  readonly #signal: AbortSignal
  #count = 0

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  get isDue(): boolean {
    return ++this.#count % TURN === 0
  }

  async take(): Promise<void> {
    this.#signal.throwIfAborted()
    await yieldToHost()
  }
}
