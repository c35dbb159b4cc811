import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createNodeCodecs } from '../src/codec/node/index.ts'
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
import { bundleWorker, importMiniflare } from '../test/support/workers/miniflare.ts'
import type { WorkerStorageKind } from './programs/storage-worker.ts'
import { encodeTask, piecesOf, type StorageTask } from './storage-task.ts'
import { StorageWork, type OpenedStorage, type Traffic } from './storage-work.ts'

/** A kind of storage that is measured. */
export interface StoragePlace {
  readonly name: string
  /** What a call is: of the storage's own interface, or a request to the store below it. */
  readonly counts: 'calls' | 'requests'
  /**
   * Does a task.
   *
   * @param pack what is pushed.
   * @returns what it took.
   */
  readonly run: (task: StorageTask, pack?: Uint8Array) => Promise<Traffic>
  readonly close: () => Promise<void>
}

/** The same data, opened as a process does that knows nothing. */
type Open = () => Promise<OpenedStorage>

const codecs = createNodeCodecs()

/** Makes one place of every kind, empty. */
export async function createStoragePlaces(folder: string): Promise<readonly StoragePlace[]> {
  const memory = createMemoryStorage()
  const directory = join(folder, 'fs')
  await mkdir(directory, { recursive: true })
  const path = join(folder, 'git.db')
  const inMemory = createMemoryBucket(uploadLimits())
  const server = await startS3Server()
  const inS3 = (): Bucket => openS3Bucket(new S3Client(server), uploadLimits())
  const sqlite = async (): Promise<Storage> =>
    createSqliteStorage({ database: await openNodeDatabase({ path }) })
  return [
    placeHere(
      'fs',
      'calls',
      countedCalls(() => Promise.resolve(createFsStorage({ directory }))),
    ),
    placeHere(
      'memory',
      'calls',
      countedCalls(() => Promise.resolve(memory)),
    ),
    placeHere('sqlite', 'calls', countedCalls(sqlite)),
    placeHere(
      'bucket in memory',
      'requests',
      countedRequests(() => inMemory),
    ),
    placeHere('s3', 'requests', countedRequests(inS3), () => server.close()),
    ...(await createWorkerPlaces()),
  ]
}

/** A place whose work is done in this process. */
function placeHere(
  name: string,
  counts: StoragePlace['counts'],
  open: Open,
  close?: () => Promise<void>,
): StoragePlace {
  const work = new StorageWork(open, codecs)
  return {
    name,
    counts,
    run: (task, pack) => work.run(task, pack && piecesOf(pack)),
    close: async () => {
      await work.close()
      await close?.()
    },
  }
}

/** The places inside workerd, where the work is done too. */
async function createWorkerPlaces(): Promise<readonly StoragePlace[]> {
  const MiniflareClass = await importMiniflare()
  const miniflare = new MiniflareClass({
    cf: false,
    modules: true,
    host: '127.0.0.1',
    // Benchmarks are bundled, and run from the top of the project.
    script: await bundleWorker(resolve('bench/programs/storage-worker.ts')),
    compatibilityDate: '2026-04-01',
    durableObjects: { PLACES: { className: 'Place', useSQLite: true } },
    r2Buckets: ['BUCKET'],
  })
  const { origin } = await miniflare.ready
  const place = (kind: WorkerStorageKind, counts: StoragePlace['counts']): StoragePlace => ({
    name: `workerd: ${kind}`,
    counts,
    close: () => Promise.resolve(),
    run: async (task, pack) => {
      const body = encodeTask(task, pack ?? new Uint8Array(0))
      const answer = await fetch(`${origin}/${kind}`, { method: 'POST', body: body as BodyInit })
      if (!answer.ok) throw new Error(`${kind}, ${task.kind}: ${await answer.text()}`)
      return (await answer.json()) as Traffic
    },
  })
  return [
    place('r2', 'requests'),
    place('durable-object', 'calls'),
    { ...place('durable-object-r2', 'requests'), close: () => miniflare.dispose() },
  ]
}

/** Counts the calls of the storage's interface. */
function countedCalls(open: () => Promise<Storage>): Open {
  return async () => {
    // No fault ever befalls it: only its list of calls is of use.
    const { storage, calls } = createFaultyStorage(await open(), { fault: 'fail', at: Infinity })
    const traffic = {
      bytes: 0,
      get calls() {
        return calls.length
      },
    }
    return { storage, traffic }
  }
}

/** Counts the requests to a bucket, and their bytes both ways. */
function countedRequests(open: () => Bucket): Open {
  return () => {
    const traffic = { calls: 0, bytes: 0 }
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
  }
}
