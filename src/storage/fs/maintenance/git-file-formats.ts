import { CommitGraph } from '../../../graph/commit-graph/commit-graph.ts'
import { encodeCommitGraph } from '../../../graph/commit-graph/encode-commit-graph.ts'
import { commitClosures, selectBitmapCommits } from '../../../pack/bitmap/commit-closures.ts'
import { encodePackBitmaps } from '../../../pack/bitmap/encode-pack-bitmaps.ts'
import { encodeMultiPackIndex } from '../../../pack/multi-pack-index/encode-multi-pack-index.ts'
import { MultiPackIndex } from '../../../pack/multi-pack-index/multi-pack-index.ts'
import { encodeObjectTimes } from '../../../pack/object-times.ts'
import { encodeReverseIndex } from '../../../pack/reverse-index.ts'
import type { GitFileFormats } from '../../git-files.ts'

/** The formats of all that git reads beside packs and refs. */
export const GIT_FILE_FORMATS: GitFileFormats = {
  commitClosures,
  encodeCommitGraph,
  encodeMultiPackIndex,
  encodeObjectTimes,
  encodePackBitmaps,
  encodeReverseIndex,
  parseCommitGraph: (bytes, format) => new CommitGraph(bytes, format),
  parseMultiPackIndex: (bytes, format) => new MultiPackIndex(bytes, format),
  selectBitmapCommits,
}
