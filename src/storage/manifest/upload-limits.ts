import { GitError } from '../../errors.ts'
import type { BucketLimits } from './bucket.ts'

// The limits of R2 and of S3, which are the same: parts of an upload have at least 5 MiB (the last one any size) and are all equal in
// R2, an upload has at most 10 000 of them, and a listing or a deletion at most 1000 keys.

const MIN_PART = 5 << 20
const MAX_PART = 1 << 30
const DEFAULT_PART = 8 << 20

/**
 * The limits of uploads to R2 or S3.
 *
 * @param partBytes size of a part. A push holds two of them in memory, and a pack has at most 10 000 of them. Default: 8 MiB.
 * @throws GitError `INVALID_ARGUMENT`
 */
export function uploadLimits(partBytes: number = DEFAULT_PART): BucketLimits {
  if (!Number.isSafeInteger(partBytes) || partBytes < MIN_PART || partBytes > MAX_PART) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `partBytes is ${partBytes}; expected a whole number from ${MIN_PART} (5 MiB) to ${MAX_PART} (1 GiB)`,
    )
  }
  return { partBytes, maxParts: 10_000, maxDeletes: 1000 }
}
