import type { DurableObjectSqlStorage } from '../../storage/sqlite/drivers/durable-object.ts'
import type { QueueBinding } from '../../hub/events/event-sink.ts'
import type { R2BucketBinding } from '../../storage/r2/index.ts'
import type { RepositoriesHere } from '../../storage/sqlite-r2/index.ts'
import type { RegistryObject } from './registry-object.ts'
import type { RepositoryObject } from './repository-object.ts'

/** The name of a Durable Object, as the runtime knows it. */
export interface ObjectId {
  toString(): string
}

/** The part of a Durable Object's `ctx` that is used. */
export interface ObjectState {
  readonly id: ObjectId
  readonly storage: DurableObjectSqlStorage & {
    get<Value>(key: string): Promise<Value | undefined>
    put(key: string, value: unknown): Promise<void>
    deleteAll(): Promise<void>
    getAlarm(): Promise<number | null>
    setAlarm(time: number): Promise<void>
  }
  waitUntil(work: Promise<unknown>): void
}

/** The part of a Worker's `ctx` that is used. */
export interface ExecutionContext {
  waitUntil(work: Promise<unknown>): void
  readonly props?: unknown
}

/** A namespace of Durable Objects, whose methods are called across RPC. */
export interface ObjectNamespace<Target> {
  idFromName(name: string): ObjectId
  get(id: never): Target
}

/** What the Worker is configured with (`wrangler.jsonc`). */
export interface WorkerEnvironment {
  /** Durable Objects of the class `RepositoryObject`: one for each repository. */
  readonly REPOSITORIES: ObjectNamespace<Pick<RepositoryObject, 'fetch' | keyof RepositoriesHere>>
  /** Durable Objects of the class `RegistryObject`: one of them knows all namespaces, repositories and tokens. */
  readonly REGISTRY: ObjectNamespace<Pick<RegistryObject, 'call'>>
  /** Where large packs are kept. */
  readonly PACKS: R2BucketBinding
  /** A queue that is sent what happens, as Cloudflare's event subscriptions do. Without one nobody is told. */
  readonly EVENTS?: QueueBinding
  /** The account in the paths of the REST interface. */
  readonly ACCOUNT: string
  /** The secret that opens the REST interface. Without one it is closed. */
  readonly API_TOKEN?: string
  /** Where clients reach the Worker, e.g. `https://git.example.com`. Default: where the request came to. */
  readonly ORIGIN?: string
  /** How many seconds after a push the repository is maintained. Default 30. */
  readonly MAINTENANCE_DELAY?: string | number
  /** How many seconds after its last push a repository's large packs are joined. Default 3600, an hour. */
  readonly CONSOLIDATION_DELAY?: string | number
  /** How many seconds files are kept that nobody needs any more, for those who are reading them. Default 86400, a day. */
  readonly GRACE_PERIOD?: string | number
}
