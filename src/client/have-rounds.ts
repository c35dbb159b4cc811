import type { ObjectId } from '../object/object-id.ts'
import type { HaveSource } from './negotiator.ts'

/** How many haves the first round offers. */
const FIRST_BATCH = 16
/** From here on batches grow slowly. */
const LARGE_BATCH = 16384
/** After so many haves without a new common one, the search for a better common ground is given up. */
const MAX_IN_VAIN = 256
/** How many haves are offered to a remote that cannot say which of them it has. */
const BLIND_HAVES = 256

/** What one request says about what is here. */
export interface HaveRound {
  /** What is known to be common, again, because requests stand alone, and then what is offered. */
  readonly haves: readonly ObjectId[]
  /** Whether the remote is to send the pack whatever it has of this. */
  readonly done: boolean
}

/** A negotiation over HTTP, whatever the version: rounds of haves, until there is nothing left to offer or little hope. */
export class HaveRounds {
  readonly #source: HaveSource | undefined
  readonly #isAnswered: boolean
  readonly #common: ObjectId[] = []
  #batch: number
  #inVain = 0
  #isReady = false

  /** @param isAnswered false for a remote that cannot say in detail what it has: then there is one round. */
  constructor(source: HaveSource | undefined, isAnswered: boolean) {
    this.#source = source
    this.#isAnswered = isAnswered
    this.#batch = isAnswered ? FIRST_BATCH : BLIND_HAVES
  }

  async next(): Promise<HaveRound> {
    const offered = this.#isReady ? [] : await this.#take()
    this.#inVain += offered.length
    const isHopeless = this.#common.length > 0 && this.#inVain >= MAX_IN_VAIN
    const done = this.#isReady || !this.#isAnswered || offered.length < this.#batch || isHopeless
    // Doubled, as git does where every round repeats what was said before.
    this.#batch = this.#batch < LARGE_BATCH ? 2 * this.#batch : Math.floor((this.#batch * 11) / 10)
    return { haves: [...this.#common, ...offered], done }
  }

  /**
   * Takes note of what the remote has, and whether that is enough for it.
   *
   * @throws GitError `PROTOCOL` for an id that was never offered
   */
  learn(acknowledged: readonly ObjectId[], isReady: boolean): void {
    for (const id of acknowledged) {
      if (this.#source?.acknowledge(id) !== true) continue
      this.#common.push(id)
      this.#inVain = 0
    }
    this.#isReady = isReady
  }

  async #take(): Promise<ObjectId[]> {
    const haves: ObjectId[] = []
    while (this.#source !== undefined && haves.length < this.#batch) {
      const have = await this.#source.next()
      if (have === undefined) break
      haves.push(have)
    }
    return haves
  }
}
