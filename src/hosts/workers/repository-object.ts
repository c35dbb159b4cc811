import { DurableObject } from 'cloudflare:workers'
import type { Hub } from '../../hub/hub.ts'
import { createR2Storage } from '../../storage/r2/index.ts'
import type { Storage } from '../../storage/storage.ts'
import type { ObjectState, WorkerEnvironment } from './bindings.ts'
import { createHubOf, originOf } from './hub-of.ts'

/** The Durable Object of one repository: all requests about it come here, so that what they read is in memory and their pushes queue up. */
export class RepositoryObject extends DurableObject<WorkerEnvironment> {
  readonly #state: ObjectState
  readonly #storage: Storage
  /** By origin: where clients came to stands in the answers. */
  readonly #hubs = new Map<string, Hub>()

  constructor(ctx: ObjectState, env: WorkerEnvironment) {
    super(ctx, env)
    this.#state = ctx
    this.#storage = createR2Storage({ bucket: env.PACKS })
  }

  /** Answers a request of a client that is about this repository. */
  override fetch(request: Request): Promise<Response> {
    return this.#hub(originOf(this.env, request)).fetch(request)
  }

  #hub(origin: string): Hub {
    const known = this.#hubs.get(origin)
    if (known !== undefined) return known
    const hub = createHubOf(this.env, {
      storage: this.#storage,
      origin,
      waitUntil: (work) => {
        this.#state.waitUntil(work)
      },
    })
    this.#hubs.set(origin, hub)
    return hub
  }
}
