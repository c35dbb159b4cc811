import {
  createBucketStorage,
  type BucketStorage,
  type BucketStorageOptions,
} from '../manifest/manifest-storage.ts'
import { uploadLimits } from '../manifest/upload-limits.ts'
import { openS3Bucket } from './s3-bucket.ts'
import { S3Client, type S3ClientOptions } from './s3-client.ts'

export interface S3StorageOptions extends BucketStorageOptions, S3ClientOptions {
  /** Bytes in a part of an upload, from 5 MiB. A push holds two of them in memory; a pack has 10 000 at most. Default: 8 MiB. */
  readonly partBytes?: number
}

/**
 * Creates a storage that keeps repositories in a bucket of an S3-compatible service, for any number of processes at the same time. The
 * service must be strongly consistent and honour `If-Match` and `If-None-Match` of puts; that it does is tried before the first write.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function createS3Storage(options: S3StorageOptions): BucketStorage {
  const bucket = openS3Bucket(new S3Client(options), uploadLimits(options.partBytes))
  return createBucketStorage(bucket, { ...options, probe: options.probe ?? true })
}
