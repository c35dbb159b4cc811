import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createFaultyStorage } from '../src/storage/conformance/index.ts'
import { createFsStorage } from '../src/storage/fs/index.ts'
import type { Bucket } from '../src/storage/manifest/bucket.ts'
import { createBucketStorage } from '../src/storage/manifest/manifest-storage.ts'
import { uploadLimits } from '../src/storage/manifest/upload-limits.ts'
import { createMemoryStorage } from '../src/storage/memory/index.ts'
import { openS3Bucket } from '../src/storage/s3/s3-bucket.ts'
import { S3Client } from '../src/storage/s3/s3-client.ts'
import { openNodeDatabase } from '../src/storage/sqlite/drivers/node.ts'
import { createSqliteStorage } from '../src/storage/sqlite/index.ts'
import type { Storage } from '../src/storage/storage.ts'
import { createMemoryBucket } from '../test/support/buckets/memory-bucket.ts'
import { startS3Server } from '../test/support/buckets/s3-server.ts'
import { wrapBucket } from '../test/support/buckets/wrapped-bucket.ts'

/** Calls to a store, and the bytes that they moved where that is known. */
export interface Traffic {
  calls: number
  bytes: number
}

/** A kind of storage that is measured. */
export interface StoragePlace {
  readonly name: string
  /** What a call is: of the storage's own interface, or a request to the store below it. */
  readonly counts: 'calls' | 'requests'
  /** Opens the same data as a process that knows nothing. */
  readonly open: () => Promise<{ readonly storage: Storage; readonly traffic: Traffic }>
  readonly close: () => Promise<void>
}

const done = (): Promise<void> => Promise.resolve()

/** Makes one place of every kind, empty. */
export async function createStoragePlaces(folder: string): Promise<readonly StoragePlace[]> {
  const memory = createMemoryStorage()
  const directory = join(folder, 'fs')
  await mkdir(directory, { recursive: true })
  const path = join(folder, 'git.db')
  const inMemory = createMemoryBucket(uploadLimits())
  const server = await startS3Server()
  const inS3 = (): Bucket => openS3Bucket(new S3Client(server), uploadLimits())
  return [
    counted('fs', () => Promise.resolve(createFsStorage({ directory }))),
    counted('memory', () => Promise.resolve(memory)),
    counted('sqlite', async () => createSqliteStorage({ database: await openNodeDatabase({ path }) })),
    { ...bucketPlace('bucket in memory', () => inMemory), close: done },
    { ...bucketPlace('s3', inS3), close: () => server.close() },
  ]
}

/** Counts the calls of the storage's interface. */
function counted(name: string, open: () => Promise<Storage>): StoragePlace {
  return {
    name,
    counts: 'calls',
    close: done,
    open: async () => {
      // No fault ever befalls it: only its list of calls is of use.
      const { storage, calls } = createFaultyStorage(await open(), { fault: 'fail', at: Infinity })
      const from = { calls: 0 }
      const traffic = {
        bytes: 0,
        get calls() {
          return calls.length - from.calls
        },
        set calls(value: number) {
          from.calls = calls.length - value
        },
      }
      return { storage, traffic }
    },
  }
}

/** Counts the requests to a bucket, and their bytes both ways. */
function bucketPlace(name: string, open: () => Bucket): Omit<StoragePlace, 'close'> {
  return {
    name,
    counts: 'requests',
    open: () => {
      const traffic: Traffic = { calls: 0, bytes: 0 }
      const bucket = wrapBucket(open(), async (call, make) => {
        traffic.calls++
        traffic.bytes += call.bytes
        const answer = await make()
        if (typeof answer === 'object' && answer !== null && 'bytes' in answer) {
          traffic.bytes += answer.bytes instanceof Uint8Array ? answer.bytes.length : 0
        }
        return answer
      })
      return Promise.resolve({ storage: createBucketStorage(bucket, { probe: false }), traffic })
    },
  }
}
