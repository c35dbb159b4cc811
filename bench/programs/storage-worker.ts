import { createPortableCodecs } from '../../src/codec/portable/index.ts'
import { createFaultyStorage } from '../../src/storage/conformance/index.ts'
import { createR2Storage, type R2BucketBinding } from '../../src/storage/r2/index.ts'
import {
  createDurableObjectDatabase,
  type DurableObjectSqlStorage,
} from '../../src/storage/sqlite/drivers/durable-object.ts'
import { createSqliteStorage } from '../../src/storage/sqlite/index.ts'
import { createSqliteR2Storage } from '../../src/storage/sqlite-r2/index.ts'
import { parseTask } from '../storage-task.ts'
import { StorageWork, type OpenedStorage } from '../storage-work.ts'

/** The kinds of storage that there are in a Worker. */
export type WorkerStorageKind = 'r2' | 'durable-object' | 'durable-object-r2'

interface Environment {
  readonly PLACES: {
    idFromName(name: string): unknown
    get(id: unknown): { fetch(request: Request): Promise<Response> }
  }
  readonly BUCKET: R2BucketBinding
}

/** A Durable Object that does tasks on one kind of storage: `POST /<kind>` with what `encodeTask` makes. */
export class Place {
  readonly #database: DurableObjectSqlStorage
  readonly #bucket: R2BucketBinding
  #work: StorageWork | undefined

  constructor(state: { readonly storage: DurableObjectSqlStorage }, { BUCKET }: Environment) {
    this.#database = state.storage
    this.#bucket = BUCKET
  }

  async fetch(request: Request): Promise<Response> {
    const kind = kindOf(request)
    this.#work ??= new StorageWork(() => Promise.resolve(this.#open(kind)), createPortableCodecs())
    try {
      const { task, pack } = parseTask(new Uint8Array(await request.arrayBuffer()))
      return Response.json(await this.#work.run(task, pack))
    } catch (error) {
      return new Response(error instanceof Error ? (error.stack ?? error.message) : String(error), {
        status: 500,
      })
    }
  }

  #open(kind: WorkerStorageKind): OpenedStorage {
    const traffic = { calls: 0, bytes: 0 }
    const bucket = countRequests(this.#bucket, traffic)
    switch (kind) {
      case 'r2':
        return { storage: createR2Storage({ bucket, prefix: 'r2/' }), traffic }
      case 'durable-object-r2': {
        const database = createDurableObjectDatabase(this.#database)
        return { storage: createSqliteR2Storage({ database, bucket, prefix: 'both/' }), traffic }
      }
      case 'durable-object': {
        const plain = createSqliteStorage({ database: createDurableObjectDatabase(this.#database) })
        // No fault ever befalls it: only its list of calls is of use.
        const { storage, calls } = createFaultyStorage(plain, { fault: 'fail', at: Infinity })
        return {
          storage,
          traffic: {
            bytes: 0,
            get calls() {
              return calls.length
            },
          },
        }
      }
    }
  }
}

function kindOf(request: Request): WorkerStorageKind {
  const kind = new URL(request.url).pathname.slice(1)
  if (kind === 'r2' || kind === 'durable-object' || kind === 'durable-object-r2') return kind
  throw new Error(`there is no storage '${kind}'`)
}

/** Each kind of storage has an object of its own. */
export default {
  fetch(request: Request, { PLACES }: Environment): Promise<Response> {
    return PLACES.get(PLACES.idFromName(kindOf(request))).fetch(request)
  },
}

/** Counts the requests to a bucket, and their bytes both ways. */
function countRequests(bucket: R2BucketBinding, traffic: { calls: number; bytes: number }): R2BucketBinding {
  const note = (bytes: number): void => {
    traffic.calls++
    traffic.bytes += bytes
  }
  return {
    get: async (key, options) => {
      note(0)
      const found = await bucket.get(key, options)
      if (found?.arrayBuffer === undefined) return found
      const { etag } = found
      const read = found.arrayBuffer.bind(found)
      return {
        etag,
        arrayBuffer: async () => {
          const bytes = await read()
          traffic.bytes += bytes.byteLength
          return bytes
        },
      }
    },
    put: (key, value, options) => {
      note(value.length)
      return bucket.put(key, value, options)
    },
    createMultipartUpload: async (key) => {
      note(0)
      const upload = await bucket.createMultipartUpload(key)
      return {
        uploadPart: (number, value) => {
          note(value.length)
          return upload.uploadPart(number, value)
        },
        complete: (parts) => {
          note(0)
          return upload.complete(parts)
        },
        abort: () => {
          note(0)
          return upload.abort()
        },
      }
    },
    list: (options) => {
      note(0)
      return bucket.list(options)
    },
    delete: (keys) => {
      note(0)
      return bucket.delete(keys)
    },
  }
}
