import type { NamedEnumeration } from '../../graph/enumerate-named.ts'
import type { MakePackOptions } from './made-pack.ts'
import type { CheckedMaintenanceOptions } from './maintenance-options.ts'

/** What every step of one call is given. */
export interface StepContext {
  readonly options: CheckedMaintenanceOptions
  /** Fires when the caller gives up and when the time of the call is over. */
  readonly signal: AbortSignal
  /** How packs are made. */
  readonly packing: MakePackOptions
  /** What packs were made of in this call, with the hashes of paths, by name. */
  readonly made: Map<string, NamedEnumeration>
}

/** The most memory that finished deltas and indexing take, each. */
const MOST_BYTES = 64 << 20
const LEAST_BYTES = 4 << 20

export function createStepContext(options: CheckedMaintenanceOptions, signal: AbortSignal): StepContext {
  const { maxStepBytes, search, onProgress } = options
  const bytes = Math.max(LEAST_BYTES, Math.min(MOST_BYTES, maxStepBytes))
  return {
    options,
    signal,
    made: new Map(),
    packing: {
      ...search,
      signal,
      memoryBytes: bytes,
      deltaCacheBytes: bytes,
      windowMemory: search.windowMemory ?? bytes,
      ...(onProgress === undefined ? {} : { onProgress }),
    },
  }
}
