export type { BucketStorage, BucketStorageOptions } from '../manifest/manifest-storage.ts'
export type { RetryPolicy } from '../manifest/retrying-bucket.ts'
export type { R2BucketBinding } from './r2-binding.ts'
export { createR2Storage, type R2StorageOptions } from './r2-storage.ts'
