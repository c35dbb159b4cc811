import { GitError } from '../../errors.ts'
import {
  createBucketStorage,
  type BucketStorage,
  type BucketStorageOptions,
} from '../manifest/manifest-storage.ts'
import { objectNames } from '../manifest/object-names.ts'
import { uploadLimits } from '../manifest/upload-limits.ts'
import type { R2BucketBinding } from '../r2/r2-binding.ts'
import { openR2Bucket } from '../r2/r2-bucket.ts'
import { withRowLimits } from '../sqlite/row-limits.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { openSqliteBucket } from './sqlite-bucket.ts'
import { createTieredBucket, type RepositoriesHere, type RepositoryPeers } from './tiered-bucket.ts'

export interface SqliteR2StorageOptions extends BucketStorageOptions {
  /** An open database, from a driver (`packstone/storage/sqlite/…`). Absent: everything is asked of the peers. */
  readonly database?: SqliteDatabase
  /** Where large files are. */
  readonly bucket: R2BucketBinding
  /** Files up to this size, in bytes, lie in the database; at most 1 MiB. Default: 1 MiB. */
  readonly smallBytes?: number
  /** Bytes in a part of an upload to the bucket, from 5 MiB. Default: 8 MiB. */
  readonly partBytes?: number
  /** Repositories of the same bucket whose state is in other databases. Absent: there are none. */
  readonly peers?: RepositoryPeers
  /** Is told of every change of a repository in the database, with its id; without one when it was deleted. */
  readonly onChange?: (key: string, id: string | undefined) => Promise<void>
}

export interface SqliteR2Storage extends BucketStorage {
  /** What is in the database, for those whose peer this is. */
  readonly here: RepositoriesHere
}

const MAX_SMALL_BYTES = 1 << 20

/**
 * Creates a storage that keeps refs, lists of packs, indexes and small packs in an SQLite database, and large packs in an R2 bucket: the
 * shape for Durable Objects, in which asking the database costs nothing.
 *
 * One process has the database for itself. Several databases may share a bucket when `peers` brings them together: forks then share packs
 * across databases, small ones too, which are copied to the bucket when the first fork of a repository is made.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function createSqliteR2Storage(options: SqliteR2StorageOptions): SqliteR2Storage {
  const { database, smallBytes = MAX_SMALL_BYTES } = options
  if (!Number.isSafeInteger(smallBytes) || smallBytes < 0 || smallBytes > MAX_SMALL_BYTES) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `smallBytes is ${smallBytes}; expected a whole number from 0 to ${MAX_SMALL_BYTES}`,
    )
  }
  if (database === undefined && options.peers === undefined) {
    throw new GitError('INVALID_ARGUMENT', 'neither a database nor peers are given; expected at least one')
  }
  const small = database && openSqliteBucket(withRowLimits(database))
  const bucket = createTieredBucket({
    small,
    large: openR2Bucket(options.bucket, uploadLimits(options.partBytes)),
    prefix: options.prefix ?? '',
    smallBytes,
    peers: options.peers,
    onChange: options.onChange,
  })
  const names = objectNames(options.prefix ?? '')
  return {
    ...createBucketStorage(bucket, { ...options, probe: options.probe ?? false }),
    here: {
      getManifest: (key, given) => bucket.get(names.manifest(key), given),
      putManifest: (key, bytes, condition) => bucket.put(names.manifest(key), bytes, condition),
      getObject: async (_key, object, given) => small?.get(object, given),
    },
  }
}
