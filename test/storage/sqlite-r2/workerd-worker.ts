import { storageConformance, type ConformanceCase } from '../../../src/storage/conformance/index.ts'
import type { R2BucketBinding } from '../../../src/storage/r2/index.ts'
import { createSqliteR2Storage } from '../../../src/storage/sqlite-r2/index.ts'
import {
  createDurableObjectDatabase,
  type DurableObjectSqlStorage,
} from '../../../src/storage/sqlite/drivers/durable-object.ts'
import type { Storage } from '../../../src/storage/storage.ts'

interface Environment {
  readonly CONFORMANCE: {
    idFromName(name: string): unknown
    get(id: unknown): { fetch(request: Request): Promise<Response> }
  }
  readonly BUCKET: R2BucketBinding
}

/** The program that workerd.test.ts runs: a Durable Object that runs one case of the suite on its own database and a bucket. */
export class Conformance {
  readonly #database: DurableObjectSqlStorage
  readonly #bucket: R2BucketBinding

  constructor(state: { readonly storage: DurableObjectSqlStorage }, { BUCKET }: Environment) {
    this.#database = state.storage
    this.#bucket = BUCKET
  }

  /** `/<name of a case>`: runs it; empty when it holds, else why not. */
  async fetch(request: Request): Promise<Response> {
    const name = decodeURIComponent(new URL(request.url).pathname.slice(1))
    const prefix = `case-${crypto.randomUUID()}/`
    const open = (): Promise<Storage> => {
      const database = createDurableObjectDatabase(this.#database)
      // Some of the packs of the suite are larger than that.
      return Promise.resolve(
        createSqliteR2Storage({ database, bucket: this.#bucket, prefix, smallBytes: 4096 }),
      )
    }
    const cases: readonly ConformanceCase[] = storageConformance({ createStorage: open, reopen: open })
    try {
      await cases.find((one) => one.name === name)?.run()
      return new Response('')
    } catch (error) {
      return new Response(error instanceof Error ? (error.stack ?? error.message) : String(error))
    }
  }
}

/** Each case has an object, and so a database, of its own. */
export default {
  fetch(request: Request, { CONFORMANCE }: Environment): Promise<Response> {
    return CONFORMANCE.get(CONFORMANCE.idFromName(new URL(request.url).pathname)).fetch(request)
  },
}
