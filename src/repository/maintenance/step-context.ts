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

export function createStepContext(options: CheckedMaintenanceOptions, signal: AbortSignal): StepContext {
  const { memoryBytes, search, onProgress } = options
  const quarter = Math.floor(memoryBytes / 4)
  return {
    options,
    signal,
    made: new Map(),
    packing: {
      ...search,
      signal,
      deltaCacheBytes: quarter,
      windowMemory: search.windowMemory ?? quarter,
      // What is written is indexed at the same time; the window is gone by then.
      memoryBytes: memoryBytes - quarter,
      ...(onProgress === undefined ? {} : { onProgress }),
    },
  }
}
