import { createPortableCodecs } from '../../codec/portable/index.ts'
import { createQueueSink } from '../../hub/events/event-sink.ts'
import { createHub, type Hub } from '../../hub/hub.ts'
import { ARTIFACTS_LIMITS } from '../../hub/hub-limits.ts'
import type { MemoryBudget } from '../../odb/memory-budget.ts'
import type { Storage } from '../../storage/storage.ts'
import type { WorkerEnvironment } from './bindings.ts'
import { createRemoteRegistry } from './remote-registry.ts'

/** Of the 128 MiB of an isolate, which other objects of the same class may share. */
export const MEMORY = 16 << 20
/** Of the same: what is read ahead of those who read large packs, in bytes. */
export const READ_AHEAD = 8 << 20
/** The size of the parts of an upload, of which a pack that is written holds two. The least that R2 takes. */
export const PART = 5 << 20

export interface HubOfOptions {
  readonly storage: Storage
  readonly memoryBudget: MemoryBudget
  readonly origin: string
  readonly waitUntil: (work: Promise<unknown>) => void
}

/** The hub as the Worker and each of its Durable Objects has it: over the one registry, and a storage of its own. */
export function createHubOf(env: WorkerEnvironment, options: HubOfOptions): Hub {
  const { storage, memoryBudget, origin, waitUntil } = options
  return createHub({
    storage,
    origin,
    waitUntil,
    registry: createRemoteRegistry(env),
    account: env.ACCOUNT,
    apiTokens: env.API_TOKEN === undefined ? [] : [env.API_TOKEN],
    codecs: createPortableCodecs(),
    receiveCodecs: createPortableCodecs({ collisionDetection: true }),
    memoryBudget,
    limits: ARTIFACTS_LIMITS,
    ...(env.EVENTS === undefined ? {} : { events: { sinks: [createQueueSink('queue', env.EVENTS)] } }),
    imports: { fetch: (input, init) => fetch(input, init) },
    onError: (error) => {
      console.error(error)
    },
  })
}

/** Where clients reach the Worker. */
export function originOf({ ORIGIN }: Pick<WorkerEnvironment, 'ORIGIN'>, request: Request): string {
  return ORIGIN ?? new URL(request.url).origin
}
