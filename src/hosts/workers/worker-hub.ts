import type { Hub } from '../../hub/hub.ts'
import { createMemoryBudget } from '../../odb/memory-budget.ts'
import { createSqliteR2Storage } from '../../storage/sqlite-r2/index.ts'
import type { WorkerEnvironment } from './bindings.ts'
import { createHubOf, MEMORY } from './hub-of.ts'
import { createRepositoryPeers } from './repository-peers.ts'

/** The hub as the Worker in front has it: it keeps nothing, and asks the objects of repositories for their state. */
export function createWorkerHub(
  env: WorkerEnvironment,
  ctx: { waitUntil(work: Promise<unknown>): void },
  origin: string,
): Hub {
  return createHubOf(env, {
    storage: createSqliteR2Storage({ bucket: env.PACKS, peers: createRepositoryPeers(env, () => false) }),
    memoryBudget: createMemoryBudget(MEMORY),
    origin,
    waitUntil: (work) => {
      ctx.waitUntil(work)
    },
  })
}
