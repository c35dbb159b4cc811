import { storageConformance, type ConformanceCase } from '../../../src/storage/conformance/index.ts'
import {
  createDurableObjectDatabase,
  type DurableObjectSqlStorage,
} from '../../../src/storage/sqlite/drivers/durable-object.ts'
import { createSqliteStorage } from '../../../src/storage/sqlite/index.ts'
import type { Storage } from '../../../src/storage/storage.ts'

/** The program that workerd.test.ts runs: a Durable Object that runs one case of the conformance suite on its own database. */
export class Conformance {
  readonly #cases: readonly ConformanceCase[]

  constructor(state: { readonly storage: DurableObjectSqlStorage }) {
    const open = (): Promise<Storage> =>
      Promise.resolve(createSqliteStorage({ database: createDurableObjectDatabase(state.storage) }))
    this.#cases = storageConformance({ createStorage: open, reopen: open })
  }

  /** `/<name of a case>`: runs it; empty when it holds, else why not. */
  async fetch(request: Request): Promise<Response> {
    const name = decodeURIComponent(new URL(request.url).pathname.slice(1))
    try {
      await this.#cases.find((one) => one.name === name)?.run()
      return new Response('')
    } catch (error) {
      return new Response(error instanceof Error ? (error.stack ?? error.message) : String(error))
    }
  }
}

interface Environment {
  readonly CONFORMANCE: {
    idFromName(name: string): unknown
    get(id: unknown): { fetch(request: Request): Promise<Response> }
  }
}

/** Each case has an object, and so a database, of its own. */
export default {
  fetch(request: Request, { CONFORMANCE }: Environment): Promise<Response> {
    return CONFORMANCE.get(CONFORMANCE.idFromName(new URL(request.url).pathname)).fetch(request)
  },
}
