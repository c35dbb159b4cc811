import type { CommitGraph } from '../graph/commit-graph/commit-graph.ts'
import type { encodeCommitGraph } from '../graph/commit-graph/encode-commit-graph.ts'
import type { ObjectFormat } from '../object/object-format.ts'
import type { commitClosures, selectBitmapCommits } from '../pack/bitmap/commit-closures.ts'
import type { encodePackBitmaps } from '../pack/bitmap/encode-pack-bitmaps.ts'
import type { encodeMultiPackIndex } from '../pack/multi-pack-index/encode-multi-pack-index.ts'
import type { MultiPackIndex } from '../pack/multi-pack-index/multi-pack-index.ts'
import type { encodeObjectTimes } from '../pack/object-times.ts'
import type { encodeReverseIndex } from '../pack/reverse-index.ts'

/** Files derived from a whole repository, in git's formats and at git's places. */
export type RepositoryFileKind = 'commit-graph' | 'multi-pack-index'

/** What git itself reads beside packs and refs, of a layout that is git's. */
export interface GitFiles {
  /** A file derived from the repository; `undefined` where there is none. */
  read(kind: RepositoryFileKind): Promise<Uint8Array | undefined>
  /** Keeps a file derived from the repository: visible whole or not at all, in the place of the former one. */
  write(kind: RepositoryFileKind, bytes: Uint8Array): Promise<void>
  /** Removes a file derived from the repository, if it is there. */
  remove(kind: RepositoryFileKind): Promise<void>
  /** The formats of derived files. They come with the layout: who keeps nothing for git to read need not have them in a bundle. */
  readonly formats: GitFileFormats
}

export interface GitFileFormats {
  readonly commitClosures: typeof commitClosures
  readonly encodeCommitGraph: typeof encodeCommitGraph
  readonly encodeMultiPackIndex: typeof encodeMultiPackIndex
  readonly encodeObjectTimes: typeof encodeObjectTimes
  readonly encodePackBitmaps: typeof encodePackBitmaps
  readonly encodeReverseIndex: typeof encodeReverseIndex
  readonly parseCommitGraph: (bytes: Uint8Array, format: ObjectFormat) => CommitGraph
  readonly parseMultiPackIndex: (bytes: Uint8Array, format: ObjectFormat) => MultiPackIndex
  readonly selectBitmapCommits: typeof selectBitmapCommits
}
