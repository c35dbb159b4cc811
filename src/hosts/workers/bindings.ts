import type { DurableObjectSqlStorage } from '../../storage/sqlite/drivers/durable-object.ts'
import type { R2BucketBinding } from '../../storage/r2/index.ts'
import type { RegistryObject } from './registry-object.ts'
import type { RepositoryObject } from './repository-object.ts'

/** The part of a Durable Object's `ctx` that is used. */
export interface ObjectState {
  readonly storage: DurableObjectSqlStorage & {
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
  idFromName(name: string): unknown
  get(id: never): Target
}

/** What the Worker is configured with (`wrangler.jsonc`). */
export interface WorkerEnvironment {
  /** Durable Objects of the class `RepositoryObject`: one for each repository. */
  readonly REPOSITORIES: ObjectNamespace<Pick<RepositoryObject, 'fetch'>>
  /** Durable Objects of the class `RegistryObject`: one of them knows all namespaces, repositories and tokens. */
  readonly REGISTRY: ObjectNamespace<Pick<RegistryObject, 'call'>>
  /** Where repositories are kept. */
  readonly PACKS: R2BucketBinding
  /** The account in the paths of the REST interface. */
  readonly ACCOUNT: string
  /** The secret that opens the REST interface. Without one it is closed. */
  readonly API_TOKEN?: string
  /** Where clients reach the Worker, e.g. `https://git.example.com`. Default: where the request came to. */
  readonly ORIGIN?: string
}
