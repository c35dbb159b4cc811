import {
  createBucketStorage,
  type BucketStorage,
  type BucketStorageOptions,
} from '../manifest/manifest-storage.ts'
import { uploadLimits } from '../manifest/upload-limits.ts'
import type { R2BucketBinding } from './r2-binding.ts'
import { openR2Bucket } from './r2-bucket.ts'

export interface R2StorageOptions extends BucketStorageOptions {
  /** The bucket, as the Worker is given it: `env.BUCKET`. */
  readonly bucket: R2BucketBinding
  /** Bytes in a part of an upload, from 5 MiB. A push holds two of them in memory; a pack has 10 000 at most. Default: 8 MiB. */
  readonly partBytes?: number
}

/**
 * Creates a storage that keeps repositories in an R2 bucket, for any number of Workers at the same time. R2 honours conditional writes,
 * so that it is not probed unless `probe` says so.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function createR2Storage(options: R2StorageOptions): BucketStorage {
  const bucket = openR2Bucket(options.bucket, uploadLimits(options.partBytes))
  return createBucketStorage(bucket, { ...options, probe: options.probe ?? false })
}
