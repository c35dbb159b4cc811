import { GitError } from '../../errors.ts'

/** How hard to search for deltas. The defaults are git's. */
export interface DeltaSearchOptions {
  /** How many objects each one is compared with; 0 makes no deltas. Default 10 (`pack.window`). */
  readonly window?: number
  /** How long chains of deltas may become; 0 makes no deltas. Default 50 (`pack.depth`). */
  readonly depth?: number
  /** Bytes that the objects of the window and their tables may take, beyond two of them. Default 256 MiB (`pack.windowMemory`). */
  readonly windowMemory?: number
  /** Objects larger than this many bytes are stored whole. Default 512 MiB (`core.bigFileThreshold`). */
  readonly bigFileThreshold?: number
}

/** The options with all defaults. */
export type CheckedDeltaSearchOptions = Required<DeltaSearchOptions>

const MiB = 1 << 20
/** Git's own limit for the length of chains. */
const MAX_DEPTH = 4095
const MAX_WINDOW = 1 << 20
/** Positions in objects are 32-bit numbers. */
const MAX_OBJECT = 0x7fffffff

/**
 * Completes the options.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function checkedDeltaSearchOptions(options: DeltaSearchOptions): CheckedDeltaSearchOptions {
  return {
    window: checked('window', options.window, 10, MAX_WINDOW),
    depth: checked('depth', options.depth, 50, MAX_DEPTH),
    windowMemory: checked('windowMemory', options.windowMemory, 256 * MiB, Number.MAX_SAFE_INTEGER),
    bigFileThreshold: checked('bigFileThreshold', options.bigFileThreshold, 512 * MiB, MAX_OBJECT),
  }
}

function checked(name: string, value: number | undefined, otherwise: number, most: number): number {
  if (value === undefined) return otherwise
  if (Number.isInteger(value) && value >= 0 && value <= most) return value
  throw new GitError(
    'INVALID_ARGUMENT',
    `option '${name}' is ${value}; expected an integer from 0 to ${most}`,
    {
      details: { option: name, value },
    },
  )
}
