import { createMemoryBudget } from '../../odb/memory-budget.ts'
import { createSqliteR2Storage } from '../../storage/sqlite-r2/index.ts'
import { repositoryKey } from '../../hub/repositories/repository-id.ts'
import type { ExecutionContext, WorkerEnvironment } from './bindings.ts'
import { createHubOf, MEMORY, originOf } from './hub-of.ts'
import { createManifestPeers } from './manifest-peers.ts'
import { objectOf } from './object-of.ts'
import { createRemoteRegistry } from './remote-registry.ts'
import { parseRepositoryAddress } from './repository-address.ts'

/**
 * The Worker in front: it answers what is about many repositories, and hands what is about one to the object of that one, body and answer
 * as streams. It keeps nothing.
 */
export const worker = {
  async fetch(request: Request, env: WorkerEnvironment, ctx: ExecutionContext): Promise<Response> {
    const target = await findObject(request, env)
    if (target !== undefined) return target.fetch(request)
    return hubOf(env, ctx, originOf(env, request)).fetch(request)
  },

  /** From a cron trigger: takes up what earlier requests left behind. */
  async scheduled(_event: unknown, env: WorkerEnvironment, ctx: ExecutionContext): Promise<void> {
    await hubOf(env, ctx, env.ORIGIN ?? 'https://localhost').resume()
  },
}

function hubOf(
  env: WorkerEnvironment,
  ctx: ExecutionContext,
  origin: string,
): ReturnType<typeof createHubOf> {
  return createHubOf(env, {
    storage: createSqliteR2Storage({ bucket: env.PACKS, peers: createManifestPeers(env, () => false) }),
    memoryBudget: createMemoryBudget(MEMORY),
    origin,
    waitUntil: (work) => {
      ctx.waitUntil(work)
    },
  })
}

/** The object that answers a request: there is one when the request is about a repository that is ready. */
async function findObject(
  request: Request,
  env: WorkerEnvironment,
): Promise<{ fetch(request: Request): Promise<Response> } | undefined> {
  const address = parseRepositoryAddress(new URL(request.url).pathname)
  if (address === undefined) return undefined
  const record = await createRemoteRegistry(env).findRepository(address.namespace, address.name)
  return record?.status === 'ready' ? objectOf(env.REPOSITORIES, repositoryKey(record.id)) : undefined
}
