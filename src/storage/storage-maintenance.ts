import type { ObjectId } from '../object/object-id.ts'

/** Files derived from a whole repository, in git's formats and at git's places. */
export type RepositoryFileKind = 'commit-graph' | 'multi-pack-index'

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
  /** A file derived from the repository; `undefined` where there is none. */
  readRepositoryFile?(kind: RepositoryFileKind): Promise<Uint8Array | undefined>
  /** Keeps a file derived from the repository: visible whole or not at all, in the place of the former one. */
  writeRepositoryFile?(kind: RepositoryFileKind, bytes: Uint8Array): Promise<void>
}
