import { DurableObject } from 'cloudflare:workers'
import { createPortableCodecs } from '../../codec/portable/index.ts'
import type { Hub } from '../../hub/hub.ts'
import { createMemoryBudget, type MemoryBudget } from '../../odb/memory-budget.ts'
import { maintain } from '../../repository/maintenance/maintain.ts'
import { openLeanRepository } from '../../repository/repository.ts'
import type { RepositoryStorage } from '../../storage/repository-storage.ts'
import { createDurableObjectDatabase } from '../../storage/sqlite/drivers/durable-object.ts'
import {
  createSqliteR2Storage,
  type RepositoriesHere,
  type SqliteR2Storage,
} from '../../storage/sqlite-r2/index.ts'
import type { ObjectState, WorkerEnvironment } from './bindings.ts'
import { createHubOf, MEMORY, originOf, PART, READ_AHEAD } from './hub-of.ts'
import { createRepositoryPeers } from './repository-peers.ts'
import { readSettings, type WorkerSettings } from './worker-settings.ts'
import { captureOutcome, type ObjectOutcome } from './object-outcome.ts'

/** How long maintenance that was not done waits, so that requests get their turn, in milliseconds. */
const MAINTENANCE_PAUSE = 1000

/** What maintenance may take of an alarm. Repositories of Artifacts have up to 1 GB, which are joined in one alarm. */
const BUDGET = { milliseconds: 15_000 }
const JOIN_BYTES = 1 << 30
/** What making a pack may take of the memory of the isolate, in bytes. */
const PACKING_BYTES = 8 << 20

/** Under which the object remembers the id of its repository. */
const ID = 'repository-id'
/** Under which it remembers when others changed the repository for the last time, in milliseconds since the epoch. */
const CHANGED = 'changed'

type Given<Method extends keyof RepositoriesHere> = Parameters<RepositoriesHere[Method]>
type Answer<Method extends keyof RepositoriesHere> = Promise<
  ObjectOutcome<Awaited<ReturnType<RepositoriesHere[Method]>>>
>

/**
 * The Durable Object of one repository. It has the repository's refs, indexes and small packs in its database, answers all requests that
 * are about it, and maintains it in its alarms.
 */
export class RepositoryObject extends DurableObject<WorkerEnvironment> {
  readonly #state: ObjectState
  readonly #storage: SqliteR2Storage
  readonly #settings: WorkerSettings
  readonly #memory: MemoryBudget = createMemoryBudget(MEMORY)
  /** By origin: where clients came to stands in the answers. */
  readonly #hubs = new Map<string, Hub>()
  #isMaintaining = false

  constructor(ctx: ObjectState, env: WorkerEnvironment) {
    super(ctx, env)
    this.#state = ctx
    this.#settings = readSettings(env)
    const own = ctx.id.toString()
    this.#storage = createSqliteR2Storage({
      database: createDurableObjectDatabase(ctx.storage, { location: `durable-object:${own}` }),
      bucket: env.PACKS,
      readAheadBytes: READ_AHEAD,
      partBytes: PART,
      gracePeriod: this.#settings.gracePeriod,
      peers: createRepositoryPeers(env, (key) => env.REPOSITORIES.idFromName(key).toString() === own),
      onChange: (_key, id) => this.#noteChange(id),
    })
  }

  /** Answers a request of a client that is about this repository. */
  override fetch(request: Request): Promise<Response> {
    return this.#hub(originOf(this.env, request)).fetch(request)
  }

  /** The state of this repository, for other objects and the Worker in front. */
  getManifest(...given: Given<'getManifest'>): Answer<'getManifest'> {
    return captureOutcome(() => this.#storage.here.getManifest(...given))
  }

  /** Replaces the state of this repository. */
  putManifest(...given: Given<'putManifest'>): Answer<'putManifest'> {
    return captureOutcome(() => this.#storage.here.putManifest(...given))
  }

  /** A small file of this repository. */
  getObject(...given: Given<'getObject'>): Answer<'getObject'> {
    return captureOutcome(() => this.#storage.here.getObject(...given))
  }

  /** Maintains the repository, or, when it was deleted, removes what is left of it. */
  override async alarm(): Promise<void> {
    const [key] = (await this.#storage.list({ limit: 1 })).keys
    const stored = key === undefined ? undefined : await this.#storage.open(key)
    if (stored === undefined) await this.#removeDeleted()
    else await this.#maintain(stored)
  }

  async #maintain(stored: RepositoryStorage): Promise<void> {
    const repository = openLeanRepository(stored, {
      codecs: createPortableCodecs(),
      memoryBudget: this.#memory,
    })
    const { storage } = this.#state
    const quietAt = ((await storage.get<number>(CHANGED)) ?? 0) + this.#settings.consolidationDelay
    const isQuiet = Date.now() >= quietAt
    this.#isMaintaining = true
    try {
      const { done, leftOut } = await maintain(repository, {
        mode: 'gc',
        budget: isQuiet ? { ...BUDGET, joinBytes: JOIN_BYTES } : BUDGET,
        memoryBytes: PACKING_BYTES,
      })
      if (!done) await this.#wake(MAINTENANCE_PAUSE)
      else if (leftOut.length > 0 && !isQuiet) await this.#wake(Math.max(0, quietAt - Date.now()))
    } finally {
      this.#isMaintaining = false
      await repository.close()
    }
  }

  /** Removes the files of a deleted repository that nobody needs; forks may need some for as long as they live. */
  async #removeDeleted(): Promise<void> {
    const { storage } = this.#state
    const id = await storage.get<string>(ID)
    const isGone = id === undefined || (await this.#storage.collectRepository(id))
    if (isGone) await storage.deleteAll()
    else await storage.setAlarm(Date.now() + this.#settings.gracePeriod)
  }

  /** @param id absent when the repository was deleted. */
  async #noteChange(id: string | undefined): Promise<void> {
    const { storage } = this.#state
    if (id === undefined) {
      await storage.setAlarm(Date.now() + this.#settings.gracePeriod)
      return
    }
    if ((await storage.get<string>(ID)) !== id) await storage.put(ID, id)
    // What maintenance changes is not a reason to wait.
    if (!this.#isMaintaining) await storage.put(CHANGED, Date.now())
    await this.#wake(this.#settings.maintenanceDelay)
  }

  /** Sees to it that there is an alarm soon. */
  async #wake(delay: number): Promise<void> {
    const { storage } = this.#state
    const at = Date.now() + delay
    const set = await storage.getAlarm()
    if (set === null || set > at) await storage.setAlarm(at)
  }

  #hub(origin: string): Hub {
    const known = this.#hubs.get(origin)
    if (known !== undefined) return known
    const hub = createHubOf(this.env, {
      storage: this.#storage,
      memoryBudget: this.#memory,
      origin,
      waitUntil: (work) => {
        this.#state.waitUntil(work)
      },
    })
    this.#hubs.set(origin, hub)
    return hub
  }
}
