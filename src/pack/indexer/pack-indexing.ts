import type { PackIndex } from '../pack-index.ts'

/** What was found out about a pack. */
export interface PackIndexing {
  readonly objectCount: number
  readonly deltaCount: number
  /** Bases that were added to complete a thin pack. */
  readonly addedCount: number
  /** The `.idx` file. */
  readonly index: Uint8Array
  /** A reader of {@link index}. */
  readonly packIndex: PackIndex
  /** The reachability file, when it was asked for. */
  readonly reachability: Uint8Array | undefined
  /** The raw trailer of the pack. */
  readonly checksum: Uint8Array
}
