/**
 * Queues by name, for work within one process that would otherwise wait by trying again and again: whoever asks gets
 * the turn when all who asked before have ended theirs.
 */
export class Turns {
  readonly #last = new Map<string, Promise<void>>()

  /** Waits for the turn of this name; the result ends it. */
  async take(name: string): Promise<() => void> {
    const before = this.#last.get(name)
    let end: () => void = () => undefined
    const mine = new Promise<void>((resolve) => {
      end = resolve
    })
    this.#last.set(name, mine)
    await before
    return () => {
      end()
      if (this.#last.get(name) === mine) this.#last.delete(name)
    }
  }
}
