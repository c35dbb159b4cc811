import { GitError } from '../../errors.ts'
import type { ObjectFormatName } from '../../object/object-format.ts'
import { assertRefName } from '../../refs/ref-name.ts'
import { initialConfig } from '../initial-config.ts'
import { assertRepositoryKey } from '../repository-key.ts'
import type { RepositoryStorage } from '../repository-storage.ts'
import type { Storage } from '../storage.ts'
import type { Bucket } from './bucket.ts'
import { BucketStore } from './bucket-store.ts'
import { createManifest, emptyManifest } from './create-manifest.ts'
import { deleteRepository } from './delete-repository.ts'
import { forkManifest } from './fork-manifest.ts'
import { collectBucket, collectRepository } from './garbage.ts'
import type { StoredManifest } from './manifest.ts'
import { ManifestChanges } from './manifest-changes.ts'
import { openManifestRepository } from './manifest-repository.ts'
import { randomId } from './object-names.ts'
import { DEFAULT_RETRIES, type RetryPolicy } from './retrying-bucket.ts'

/** What storages in buckets have in common. */
export interface BucketStorageOptions {
  /** Begins the names of all objects: several storages can share a bucket. Empty, or ends in a slash. Default: empty. */
  readonly prefix?: string
  /**
   * How long, in milliseconds, files that no repository lists are kept: those of pushes that never ended, and dropped packs for those
   * who read them. A push must not take longer than half of it from the end of its upload. Default: one day.
   */
  readonly gracePeriod?: number
  /** How often, and after how long, calls to the store are repeated when it fails for a moment. */
  readonly retries?: RetryPolicy
  /** Memory for bytes that are read ahead for clones, shared by all repositories. Default: 32 MiB. */
  readonly readAheadBytes?: number
  /** Memory for tables of refs, shared by all repositories. Default: 32 MiB. */
  readonly refCacheBytes?: number
  /**
   * Whether to try, before the first write, that the store honours conditional writes, without which pushes would be lost. It costs
   * six requests, once.
   */
  readonly probe?: boolean
}

/** A storage in a bucket, with what only it can do. */
export interface BucketStorage extends Storage {
  /** The store, for what else is to be kept there. The storage uses keys below its prefix that go on with `m/`, `r/` and `probe/`. */
  readonly bucket: Bucket
  /**
   * Finds out whether the store can be used for writing. It is done before the first write, too.
   *
   * @throws GitError `UNSUPPORTED` when it does not honour conditional writes.
   */
  probe(): Promise<void>
  /** Deletes all files whose grace period is over and that no repository lists. It lists the whole storage, and is safe at any time. */
  collectGarbage(): Promise<void>
  /**
   * The same for the files of one repository, by its id, which may be deleted.
   *
   * @returns whether nothing is left of it.
   */
  collectRepository(id: string): Promise<boolean>
}

const DEFAULT_PAGE = 1000
const DAY = 86_400_000
const MAX_GRACE = 10 * 365 * DAY

/**
 * Creates a storage over an object store, for any number of processes. See the README of its adapters.
 *
 * Reflogs are not kept.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function createBucketStorage(
  bucket: Bucket,
  options: BucketStorageOptions & { readonly probe: boolean },
): BucketStorage {
  const store = new BucketStore(bucket, {
    prefix: options.prefix ?? '',
    gracePeriod: checkWhole('gracePeriod', options.gracePeriod ?? DAY, MAX_GRACE),
    retries: options.retries ?? DEFAULT_RETRIES,
    readAheadBytes: checkWhole('readAheadBytes', options.readAheadBytes ?? 32 << 20, Number.MAX_SAFE_INTEGER),
    refCacheBytes: checkWhole('refCacheBytes', options.refCacheBytes ?? 32 << 20, Number.MAX_SAFE_INTEGER),
    probe: options.probe,
  })
  const { location } = store
  const changes = new ManifestChanges(store)

  const openStored = (key: string, id: string, objectFormat: ObjectFormatName): RepositoryStorage =>
    openManifestRepository({ store, changes, key, id, objectFormat })
  const openManifest = (key: string, { manifest }: StoredManifest): RepositoryStorage =>
    openStored(key, manifest.id, manifest.objectFormat)

  return {
    bucket,
    location,

    async open(key) {
      assertRepositoryKey(key)
      const stored = await store.readManifest(key)
      return stored && openManifest(key, stored)
    },

    async create(key, { objectFormat, head }) {
      assertRepositoryKey(key)
      assertRefName(head)
      const manifest = emptyManifest(randomId(), objectFormat, { config: initialConfig(objectFormat), head })
      return openManifest(key, await createManifest(store, key, manifest))
    },

    async fork(sourceKey, key, forkOptions) {
      assertRepositoryKey(sourceKey)
      assertRepositoryKey(key)
      return openManifest(key, await forkManifest(store, sourceKey, key, forkOptions))
    },

    async delete(key) {
      assertRepositoryKey(key)
      return deleteRepository(store, key)
    },

    async list({ limit = DEFAULT_PAGE, cursor = '' } = {}) {
      if (!Number.isSafeInteger(limit) || limit < 1) {
        throw new GitError('INVALID_ARGUMENT', `limit is ${limit}; expected a whole number of at least 1`)
      }
      store.assertOpen()
      const { manifests } = store.names
      const keys: string[] = []
      let next: string | undefined
      do {
        const page = await store.bucket.list({
          prefix: manifests,
          limit: Math.min(limit + 1, DEFAULT_PAGE),
          ...(next === undefined ? { startAfter: manifests + cursor } : { cursor: next }),
        })
        // An empty one is that of a deleted repository.
        for (const { key, size } of page.objects) if (size > 0) keys.push(key.slice(manifests.length))
        next = page.cursor
      } while (next !== undefined && keys.length <= limit)
      const page = keys.slice(0, limit)
      const last = page.at(-1)
      return keys.length > limit && last !== undefined ? { keys: page, cursor: last } : { keys: page }
    },

    probe: () => store.assertWritable(true),

    async collectGarbage() {
      await store.assertWritable()
      await collectBucket(store)
    },

    async collectRepository(id) {
      await store.assertWritable()
      await collectRepository(store, id)
      return (await store.bucket.list({ prefix: store.names.repository(id), limit: 1 })).objects.length === 0
    },

    close() {
      store.close()
      return Promise.resolve()
    },
  }
}

function checkWhole(option: string, value: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= most) return value
  throw new GitError('INVALID_ARGUMENT', `${option} is ${value}; expected a whole number from 0 to ${most}`)
}
