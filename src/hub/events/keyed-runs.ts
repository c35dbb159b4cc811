/** Runs work for keys: for different ones side by side, for one of them one after the other. */
export class KeyedRuns {
  readonly #runs = new Map<string, { next: (() => Promise<void>) | undefined; done: Promise<void> }>()

  has(key: string): boolean {
    return this.#runs.has(key)
  }

  /**
   * Starts work. Where some of the key is under way, this one follows it, instead of what was to follow it so far.
   *
   * @param work reports its failures itself.
   * @returns when no work of the key is left
   */
  start(key: string, work: () => Promise<void>): Promise<void> {
    const running = this.#runs.get(key)
    if (running !== undefined) {
      running.next = work
      return running.done
    }
    const run = { next: undefined as (() => Promise<void>) | undefined, done: Promise.resolve() }
    this.#runs.set(key, run)
    run.done = (async () => {
      try {
        for (let now: (() => Promise<void>) | undefined = work; now !== undefined; now = run.next) {
          run.next = undefined
          await now()
        }
      } finally {
        this.#runs.delete(key)
      }
    })()
    return run.done
  }

  /** The end of the work of a key; at once where there is none. */
  async settled(key: string): Promise<void> {
    await this.#runs.get(key)?.done
  }

  /** The end of all work. */
  async allSettled(): Promise<void> {
    await Promise.all([...this.#runs.values()].map(({ done }) => done))
  }
}
