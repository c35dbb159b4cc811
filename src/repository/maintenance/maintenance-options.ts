import { GitError } from '../../errors.ts'
import { checkedDeltaSearchOptions, type DeltaSearchOptions } from '../../pack/delta-search/search-options.ts'
import type { SearchThreads } from '../../pack/delta-search/search-helpers.ts'
import type { ProgressListener } from '../../pack/progress.ts'
import type { MaintenanceStep } from './maintenance-result.ts'

/**
 * What maintenance is to reach.
 * - `geometric`: few packs, by joining small ones until each is twice as large as the next; costs little and is done often.
 * - `full`: one pack of everything that is reachable, its deltas searched anew; what nothing reaches goes to a pack of its own.
 * - `gc`: `full`, and unreachable objects are removed once they have been in a pack of their own for the grace period.
 */
export type MaintenanceMode = 'geometric' | 'full' | 'gc'

/** What one call may take. */
export interface MaintenanceBudget {
  /** After this long the call ends, between two steps or within one; what a step has not finished is dropped. */
  readonly milliseconds?: number
  /** Packs of at most so many bytes together are rewritten in one step; what is larger alone is left as it is. */
  readonly bytes?: number
  /**
   * Packs of at most so many bytes together are joined by copying their entries, for `full` and `gc`, where they are too large to be
   * rewritten. That is the only step of a call, the time does not end it, and it takes no more memory than others. Default: none are.
   */
  readonly joinBytes?: number
}

export interface MaintenanceOptions {
  /** Default `geometric`. */
  readonly mode?: MaintenanceMode
  /** How long unreachable objects are kept from when they are found to be, in milliseconds. Default 14 days; 0 removes them at once. */
  readonly gracePeriod?: number
  /** How many times larger than the next a pack is left to be, for `geometric`. Default 2. */
  readonly factor?: number
  /** How hard deltas are searched, for `full` and `gc`. */
  readonly search?: DeltaSearchOptions
  /** Threads that search them together, see `packstone/threads`; packs are the same without them. Who started them ends them. */
  readonly threads?: SearchThreads
  /** Search deltas anew also in packs where that was done before. Default false. */
  readonly force?: boolean
  readonly budget?: MaintenanceBudget
  /**
   * Memory for making a pack, in bytes: finished deltas, the window in which they are searched, indexing. On top come tens of bytes for each
   * object, and the caches of the repository. Default 64 MiB; never more than four times what a step may rewrite.
   */
  readonly memoryBytes?: number
  readonly signal?: AbortSignal
  readonly onProgress?: ProgressListener
  /** Told of each step when it is done. */
  readonly onStep?: (step: MaintenanceStep) => void
}

/** The options with all defaults. */
export interface CheckedMaintenanceOptions {
  readonly mode: MaintenanceMode
  readonly gracePeriod: number
  readonly factor: number
  readonly search: DeltaSearchOptions
  readonly threads: SearchThreads | undefined
  readonly force: boolean
  readonly maxStepBytes: number
  readonly maxJoinBytes: number
  readonly memoryBytes: number
  readonly milliseconds: number | undefined
  readonly onProgress: ProgressListener | undefined
}

const DEFAULT_MEMORY_BYTES = 64 << 20
const LEAST_MEMORY_BYTES = 4 << 20
const TWO_WEEKS = 14 * 24 * 3_600_000
/** Bytes of packs that are rewritten in a millisecond at the least: what a step is planned for where time is short. */
const BYTES_PER_MILLISECOND = 500
/** However short the time is, a step is not planned for less than this. */
const LEAST_STEP_BYTES = 1 << 20

/**
 * Completes the options.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function checkedMaintenanceOptions(options: MaintenanceOptions): CheckedMaintenanceOptions {
  const { mode = 'geometric', gracePeriod = TWO_WEEKS, factor = 2, search = {}, force = false } = options
  const { memoryBytes = DEFAULT_MEMORY_BYTES } = options
  const { milliseconds, bytes = Infinity, joinBytes = 0 } = options.budget ?? {}
  if (!['geometric', 'full', 'gc'].includes(mode)) throw invalid('mode', mode, 'geometric, full or gc')
  if (!(gracePeriod >= 0)) throw invalid('gracePeriod', gracePeriod, 'milliseconds, 0 or more')
  if (!(factor >= 2)) throw invalid('factor', factor, 'a number of at least 2')
  if (milliseconds !== undefined && !(milliseconds > 0)) {
    throw invalid('budget.milliseconds', milliseconds, 'a number above 0')
  }
  if (!(memoryBytes > 0)) throw invalid('memoryBytes', memoryBytes, 'a number above 0')
  if (!(bytes > 0)) throw invalid('budget.bytes', bytes, 'a number above 0')
  if (!(joinBytes >= 0)) throw invalid('budget.joinBytes', joinBytes, 'a number of 0 or more')
  checkedDeltaSearchOptions(search)
  const inTime =
    milliseconds === undefined ? Infinity : Math.max(LEAST_STEP_BYTES, milliseconds * BYTES_PER_MILLISECOND)
  const maxStepBytes = Math.min(bytes, inTime)
  return {
    mode,
    gracePeriod,
    factor,
    search,
    threads: options.threads,
    force,
    milliseconds,
    maxStepBytes,
    maxJoinBytes: Math.max(maxStepBytes, joinBytes),
    memoryBytes: Math.max(LEAST_MEMORY_BYTES, Math.min(memoryBytes, 4 * maxStepBytes)),
    onProgress: options.onProgress,
  }
}

function invalid(name: string, value: string | number, expected: string): GitError {
  return new GitError('INVALID_ARGUMENT', `option '${name}' is ${value}; expected ${expected}`, {
    details: { option: name, value },
  })
}
