import { GitError, isGitError } from '../../errors.ts'
import type { Repository } from '../repository.ts'
import { maintain } from './maintain.ts'
import type { MaintenanceOptions } from './maintenance-options.ts'
import type { MaintenanceResult } from './maintenance-result.ts'

/** A repository that somebody lends for maintenance. */
export interface LentRepository {
  readonly repository: Repository
  /** Gives it back. Called once. */
  readonly release?: () => void
}

export interface MaintenanceSchedulerOptions {
  /** Lends the repository of a key; `undefined` when it is gone, or is not to be maintained. */
  readonly open: (key: string) => Promise<LentRepository | undefined>
  /** How repositories are maintained. Default: `geometric`, up to a minute at a time. */
  readonly maintenance?: Omit<MaintenanceOptions, 'signal'>
  /** Maintain a repository that has more packs than this. Default 50, git's number; see {@link readAutoPackLimit}. */
  readonly maxPacks?: number | ((repository: Repository) => Promise<number>)
  /** How long a repository has to be left in peace after it changed, in milliseconds. Default 1000. */
  readonly delay?: number
  /** Told what was done. */
  readonly onResult?: (key: string, result: MaintenanceResult) => void
  readonly onError: (error: unknown) => void
}

const DEFAULT_MAX_PACKS = 50
const DEFAULT_DELAY = 1000
/** How repositories are maintained where nobody says how. */
export const DEFAULT_MAINTENANCE: MaintenanceOptions = { mode: 'geometric', budget: { milliseconds: 60_000 } }

/**
 * Maintains repositories after they changed, one at a time, in the background: whoever has taken a push tells it the key. However often
 * a key is told, the repository is looked at once when the time has come, and what is told meanwhile counts for the next time.
 */
export class MaintenanceScheduler {
  readonly #options: MaintenanceSchedulerOptions
  /** Keys to look at, in order, each with the moment from which on it may be. */
  readonly #waiting = new Map<string, number>()
  readonly #closing = new AbortController()
  #running: Promise<void> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  /** @throws GitError `INVALID_ARGUMENT` */
  constructor(options: MaintenanceSchedulerOptions) {
    const { delay = DEFAULT_DELAY, maxPacks = DEFAULT_MAX_PACKS } = options
    if (!(delay >= 0)) throw invalid('delay', delay)
    if (typeof maxPacks === 'number' && !(maxPacks >= 1)) throw invalid('maxPacks', maxPacks)
    this.#options = options
  }

  /** Tells that a repository has changed. Returns at once, and never throws. */
  notify(key: string): void {
    if (this.#closing.signal.aborted) return
    this.#waiting.delete(key)
    this.#waiting.set(key, Date.now() + (this.#options.delay ?? DEFAULT_DELAY))
    this.#wake()
  }

  /** Resolves when nothing is waiting or running any more. */
  async idle(): Promise<void> {
    while (this.#running !== undefined || this.#waiting.size > 0) {
      await (this.#running ?? new Promise((resolve) => setTimeout(resolve, 5)))
    }
  }

  /** Stops what is running, which loses nothing, and begins nothing any more. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#waiting.clear()
    clearTimeout(this.#timer)
    await this.#running
  }

  #wake(): void {
    if (this.#running !== undefined) return
    clearTimeout(this.#timer)
    const [next] = this.#waiting
    if (next === undefined) return
    const [key, due] = next
    this.#timer = setTimeout(
      () => {
        this.#waiting.delete(key)
        this.#running = this.#maintain(key).finally(() => {
          this.#running = undefined
          this.#wake()
        })
      },
      Math.max(0, due - Date.now()),
    )
  }

  async #maintain(key: string): Promise<void> {
    const { open, onError, onResult, maintenance = DEFAULT_MAINTENANCE } = this.#options
    try {
      const lent = await open(key)
      if (lent === undefined) return
      try {
        if (!(await this.#isDue(lent.repository))) return
        const result = await maintain(lent.repository, { ...maintenance, signal: this.#closing.signal })
        onResult?.(key, result)
        if (!result.done && !result.busy) this.notify(key)
      } finally {
        lent.release?.()
      }
    } catch (error) {
      // It was deleted meanwhile.
      if (isGitError(error, 'NOT_FOUND') || this.#closing.signal.aborted) return
      onError(error)
    }
  }

  async #isDue(repository: Repository): Promise<boolean> {
    const { maxPacks = DEFAULT_MAX_PACKS } = this.#options
    const most = typeof maxPacks === 'number' ? maxPacks : await maxPacks(repository)
    const packs = await repository.storage.listPacks()
    return packs.filter((pack) => pack.pinned === undefined && pack.cruft !== true).length > most
  }
}

/**
 * The number of packs that the repository's config allows before it is maintained: `gc.autoPackLimit`, as in git; none where that is 0 or
 * `receive.autogc` is false.
 */
export async function readAutoPackLimit(repository: Repository): Promise<number> {
  const config = await repository.readConfig()
  const limit = config.getInt('gc.autopacklimit', DEFAULT_MAX_PACKS)
  return limit <= 0 || !config.getBool('receive.autogc', true) ? Infinity : limit
}

function invalid(name: string, value: number): GitError {
  return new GitError('INVALID_ARGUMENT', `option '${name}' is ${value}; expected a number above 0`, {
    details: { option: name, value },
  })
}
