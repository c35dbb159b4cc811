/** What a long operation is doing, in git's own words for it. */
export type ProgressPhase = 'enumerating' | 'counting' | 'compressing' | 'writing' | 'receiving' | 'resolving'

/** How far it is. */
export interface ProgressEvent {
  readonly phase: ProgressPhase
  readonly done: number
  /** Absent while unknown. */
  readonly total?: number
  /** Bytes moved so far, where that is known. */
  readonly bytes?: number
}

/** Receives progress. Called often: whoever prints it, throttles it. */
export type ProgressListener = (event: ProgressEvent) => void
