export type { BucketStorage, BucketStorageOptions } from '../manifest/manifest-storage.ts'
export type { R2BucketBinding } from '../r2/r2-binding.ts'
export type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
export {
  createSqliteR2Storage,
  type SqliteR2Storage,
  type SqliteR2StorageOptions,
} from './sqlite-r2-storage.ts'
export type { RepositoriesHere, RepositoryPeers } from './tiered-bucket.ts'
