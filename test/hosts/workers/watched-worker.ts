import worker, { RegistryObject, RepositoryObject as Ready } from '../../../src/hosts/workers/index.ts'
import type { ObjectState } from '../../../src/hosts/workers/bindings.ts'
import type { WorkerEnvironment } from '../../../src/hosts/workers/index.ts'
import { repositoryKey } from '../../../src/hub/repositories/repository-id.ts'
import { createDurableObjectDatabase } from '../../../src/storage/sqlite/drivers/durable-object.ts'
import { createSqliteR2Storage, type SqliteR2Storage } from '../../../src/storage/sqlite-r2/index.ts'

interface EvictableState extends ObjectState {
  /** Ends the object with all that it has in memory: whatever is running in it fails, and the next request makes it anew. */
  abort(reason: string): void
}

/** The ready object, which also tells what it has stored, and can be evicted. */
class RepositoryObject extends Ready {
  readonly #storage: SqliteR2Storage
  readonly #state: EvictableState
  /** Another one in each life of the object. */
  readonly #life = crypto.randomUUID()

  constructor(ctx: EvictableState, env: WorkerEnvironment) {
    super(ctx, env)
    this.#state = ctx
    this.#storage = createSqliteR2Storage({
      database: createDurableObjectDatabase(ctx.storage),
      bucket: env.PACKS,
    })
  }

  override async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/packs') return Response.json(await this.#listPacks())
    if (pathname === '/life') return Response.json(this.#life)
    if (pathname === '/evict') this.#state.abort('evicted')
    if (pathname === '/tables') {
      const tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'bucket%'"
      return Response.json(this.#state.storage.sql.exec(tables).toArray().length)
    }
    return super.fetch(request)
  }

  async #listPacks(): Promise<unknown> {
    const [key = ''] = (await this.#storage.list({ limit: 1 })).keys
    const stored = await this.#storage.open(key)
    return (await stored?.listPacks()) ?? []
  }
}

export { RegistryObject, RepositoryObject }

/** `/object/<id>/<question>` asks the object of a repository; everything else is for the Worker as it is. */
export default {
  ...worker,
  fetch: (request: Request, env: WorkerEnvironment, ctx: never): Promise<Response> => {
    const [, place, id = '', question = ''] = new URL(request.url).pathname.split('/')
    if (place !== 'object') return worker.fetch(request, env, ctx)
    const object = env.REPOSITORIES.get(env.REPOSITORIES.idFromName(repositoryKey(id)) as never)
    const answer = object.fetch(new Request(`http://object/${question}`))
    return question === 'evict' ? answer.catch((error: unknown) => Response.json(String(error))) : answer
  },
}
