import type { resolveTogether, scanTogether } from './index-together.ts'
import type { ScannedPart, SharedScan } from './shared-scan.ts'
import type { SharedResolution } from './shared-resolution.ts'

/** Threads that index a pack together with the one that asks them. Their codecs must be of the kind that the caller uses. */
export interface IndexerThreads {
  /** How many bytes of a pack are read at a time; default: half a MiB. */
  readonly partBytes?: number
  /** Lets all other threads read parts of it; resolves, when they find no more to take, with what they have read. */
  scan(shared: SharedScan): Promise<readonly ScannedPart[]>
  /** Lets all other threads work on it; resolves, when they find no more to take, with whether none of them has failed. */
  resolve(shared: SharedResolution): Promise<boolean>
  /** How one thread shares its work with the others. They bring it along: who has no threads need not have it in a bundle. */
  readonly scanTogether: typeof scanTogether
  readonly resolveTogether: typeof resolveTogether
}
