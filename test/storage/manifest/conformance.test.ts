import { describe, test } from 'vitest'
import { storageConformance } from '../../../src/storage/conformance/index.ts'
import type { Bucket } from '../../../src/storage/manifest/bucket.ts'
import { createBucketStorage } from '../../../src/storage/manifest/manifest-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { createMemoryBucket } from '../../support/buckets/memory-bucket.ts'

describe('storage in a bucket conforms', () => {
  const buckets = new WeakMap<Storage, Bucket>()
  const open = (bucket: Bucket): Promise<Storage> => {
    const storage = createBucketStorage(bucket, { probe: true, prefix: 'git/' })
    buckets.set(storage, bucket)
    return Promise.resolve(storage)
  }
  const cases = storageConformance({
    createStorage: () => open(createMemoryBucket()),
    reopen: (storage) => open(buckets.get(storage) ?? createMemoryBucket()),
  })
  for (const { name, run } of cases) test(name, run)
})
