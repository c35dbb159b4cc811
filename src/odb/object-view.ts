import type { Codecs } from '../codec/ports.ts'
import type { ObjectSource } from '../graph/object-source.ts'
import type { ReachabilitySet } from '../graph/reachability-set.ts'
import type { KeptPacks } from './kept-packs.ts'
import type { KnownRequests } from './known-requests.ts'
import type { PackFile, ReachablePackFile } from './pack-file.ts'

/** Where a stored copy of an object is. */
export interface ObjectLocation {
  readonly pack: PackFile
  readonly rank: number
}

/**
 * A reader's view of the object database: the packs it began with stay readable until `close`. One per request.
 *
 * A miss looks at loose objects and lists packs anew, so objects that others add meanwhile are found as well. That an object
 * is absent is remembered for the life of the view.
 */
export interface ObjectView extends ObjectSource {
  /** Those packs of the view whose reachability is written down; another set once one of them turned out to be gone. */
  readonly reachability: ReachabilitySet<ReachablePackFile>
  readonly codecs: Codecs
  /** Packs that were made for somebody before. */
  readonly keptPacks: KeptPacks
  /** What was found out about requests before. */
  readonly requests: KnownRequests
  /** The packs of the view, newest first; others once one of them turned out to be gone. */
  readonly packs: readonly PackFile[]
  /** The packed copy to reuse when sending the object; `undefined` when it is loose or absent. */
  locate(id: Uint8Array, at?: number): ObjectLocation | undefined
  /**
   * Opens the data of a pack, so that it stays readable even when somebody deletes it. False when it is gone already: the view has
   * then listed packs anew, and what was located in it has to be located again.
   */
  pin(pack: PackFile): Promise<boolean>
  /** Asks for what packs lack of written reachability to be written down in the background, for those who come later. */
  describePacks(): void
  /** {@link describePacks}; resolves when what can be described is, for views that are opened then. */
  describeAll(): Promise<void>
  /** Lets go of the packs. Idempotent. */
  close(): Promise<void>
}
