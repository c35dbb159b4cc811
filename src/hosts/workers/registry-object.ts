import { DurableObject } from 'cloudflare:workers'
import { GitError } from '../../errors.ts'
import { createSqliteRegistry } from '../../hub/registry/sqlite/sqlite-registry.ts'
import type { Registry } from '../../hub/registry/registry.ts'
import { createDurableObjectDatabase } from '../../storage/sqlite/drivers/durable-object.ts'
import type { ObjectState, WorkerEnvironment } from './bindings.ts'
import { captureOutcome, type ObjectOutcome } from './object-outcome.ts'

/** What is asked of the registry from elsewhere. */
export type RegistryMethod = Exclude<keyof Registry, 'location' | 'close'>

/** The Durable Object that knows all namespaces, repositories and tokens, in its SQLite database. */
export class RegistryObject extends DurableObject<WorkerEnvironment> {
  readonly #registry: Registry

  constructor(ctx: ObjectState, env: WorkerEnvironment) {
    super(ctx, env)
    const database = createDurableObjectDatabase(ctx.storage, { location: 'durable-object:registry' })
    this.#registry = createSqliteRegistry({ database })
  }

  /** Calls a method of the registry. Its arguments and its result are data. */
  call(method: RegistryMethod, given: readonly unknown[]): Promise<ObjectOutcome<unknown>> {
    return captureOutcome(async () => {
      const called: unknown = Reflect.get(this.#registry, method)
      if (typeof called !== 'function') {
        throw new GitError('INVALID_ARGUMENT', `the registry has no method '${method}'`)
      }
      const result: unknown = await Reflect.apply(called, this.#registry, given)
      return result
    })
  }
}
