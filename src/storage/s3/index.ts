export type { Bucket } from '../manifest/bucket.ts'
export type { BucketStorage, BucketStorageOptions } from '../manifest/manifest-storage.ts'
export type { RetryPolicy } from '../manifest/retrying-bucket.ts'
export { createS3Storage, type S3StorageOptions } from './s3-storage.ts'
