import { registryConformance } from '../../../src/hub/registry/conformance/index.ts'
import { createSqliteRegistry } from '../../../src/hub/registry/sqlite/sqlite-registry.ts'
import {
  createDurableObjectDatabase,
  type DurableObjectSqlStorage,
} from '../../../src/storage/sqlite/drivers/durable-object.ts'

/** The program that workerd.test.ts runs: a Durable Object that runs one case of the suite on its own database. */
export class Conformance {
  readonly #storage: DurableObjectSqlStorage

  constructor(state: { readonly storage: DurableObjectSqlStorage }) {
    this.#storage = state.storage
  }

  /** `/<name of a case>`: runs it; empty when it holds, else why not. */
  async fetch(request: Request): Promise<Response> {
    const name = decodeURIComponent(new URL(request.url).pathname.slice(1))
    const cases = registryConformance({
      createRegistry: () =>
        Promise.resolve(createSqliteRegistry({ database: createDurableObjectDatabase(this.#storage) })),
    })
    try {
      await cases.find((one) => one.name === name)?.run()
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
