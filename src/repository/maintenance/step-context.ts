import type { NamedEnumeration } from '../../graph/enumerate-named.ts'
import type { MakePackOptions } from './made-pack.ts'
import type { CheckedMaintenanceOptions } from './maintenance-options.ts'

/** What every step of one call is given. */
export interface StepContext {
  readonly options: CheckedMaintenanceOptions
  /** Fires when the caller gives up and when the time of the call is over. */
  readonly signal: AbortSignal
  /** Fires only when the caller gives up: for a step that no time ends. */
  readonly givenUp: AbortSignal
  /** How packs are made. */
  readonly packing: MakePackOptions
  /** How far the call has got: no step was done yet, some were, or one that is as much as a call may take. */
  progress: 'none' | 'some' | 'spent'
  /**
   * Names of packs that this call works on: those that were there when it began, and those that it made. What others add meanwhile is left
   * for the next call, so that this one comes to an end.
   */
  known: Set<string> | undefined
  /** What packs were made of in this call, with the hashes of paths, by name. */
  readonly made: Map<string, NamedEnumeration>
}

/**
 * Creates the context of a call.
 *
 * @param signal fires when the caller gives up, and when the time is over; `givenUp` in the first case only.
 */
export function createStepContext(
  options: CheckedMaintenanceOptions,
  signal: AbortSignal,
  givenUp: AbortSignal,
): StepContext {
  const { memoryBytes, search, threads, onProgress } = options
  const quarter = Math.floor(memoryBytes / 4)
  return {
    options,
    signal,
    givenUp,
    progress: 'none',
    known: undefined,
    made: new Map(),
    packing: {
      ...search,
      signal,
      deltaCacheBytes: quarter,
      windowMemory: search.windowMemory ?? quarter,
      ...(threads === undefined ? {} : { threads }),
      threadMemory: memoryBytes - 2 * quarter,
      // What is written is indexed at the same time; the windows are gone by then.
      memoryBytes: memoryBytes - quarter,
      ...(onProgress === undefined ? {} : { onProgress }),
    },
  }
}

/** The context of a step that no time ends. */
export function withoutDeadline(context: StepContext): StepContext {
  const { givenUp, packing } = context
  return { ...context, signal: givenUp, packing: { ...packing, signal: givenUp } }
}
