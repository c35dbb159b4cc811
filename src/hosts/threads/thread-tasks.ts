import type { GitErrorCode } from '../../errors.ts'
import type { FoundDeltas, SegmentLoad, SharedSegment } from '../../pack/delta-search/segment-search.ts'
import type { SharedResolution } from '../../pack/indexer/shared-resolution.ts'
import type { ScannedPart, SharedScan } from '../../pack/indexer/shared-scan.ts'

/** Work that is posted to a thread. */
export type ThreadTask =
  | { readonly kind: 'scan'; readonly shared: SharedScan }
  | { readonly kind: 'resolve'; readonly shared: SharedResolution }
  | {
      readonly kind: 'search'
      /** Names the segment among those of the thread. */
      readonly key: number
      /** Comes with the first load. */
      readonly segment?: SharedSegment
      readonly load: SegmentLoad
    }
  /** To let go of a segment. It has no answer. */
  | { readonly kind: 'forget'; readonly key: number }
  /** To end. It is the last one, and has no answer but the end. */
  | { readonly kind: 'end' }

/** What a thread answers a task with; it answers tasks in the order in which they were posted. */
export type ThreadAnswer =
  | { readonly kind: 'scan'; readonly parts: readonly ScannedPart[] }
  | {
      readonly kind: 'resolve'
      /** Whether its share is done. */
      readonly isDone: boolean
    }
  | { readonly kind: 'search'; readonly found: FoundDeltas }
  | { readonly kind: 'failed'; readonly code: GitErrorCode; readonly message: string }
