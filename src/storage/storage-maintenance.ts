import type { ObjectId } from '../object/object-id.ts'
import type { GitFiles } from './git-files.ts'

/** What keeps objects alive besides refs. */
export interface LayoutRoots {
  /** Objects that logs and the like name; some may be gone. */
  readonly ids: readonly ObjectId[]
  /** Why there may be more than these, so that nothing may be removed for good; for people. */
  readonly incomplete: string | undefined
}

/**
 * What maintenance needs of a layout besides packs, refs and derived files. Every part is optional: a layout has what it needs.
 */
export interface StorageMaintenance {
  /** Keeps other maintenance away. The result ends that; `busy` when somebody else is at it. It only saves work: nothing relies on it. */
  acquireLock?(): Promise<(() => Promise<void>) | 'busy'>
  /** @throws GitError `CORRUPT_REF` when there are refs that cannot be read: nobody knows then what is unreachable. */
  listRoots?(): Promise<LayoutRoots>
  /** Removes loose objects of this repository's own. Those that are gone are ignored. */
  removeLoose?(ids: readonly Uint8Array[]): Promise<void>
  /** Puts refs together where they stand alone; how many did. */
  compactRefs?(): Promise<number>
  /** Removes what processes left that died: how many files. */
  collectGarbage?(): Promise<number>
  /** What git itself reads besides. */
  readonly gitFiles?: GitFiles
}
