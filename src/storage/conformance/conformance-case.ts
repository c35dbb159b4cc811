import type { Storage } from '../storage.ts'
import type { RepositoryStorage } from '../repository-storage.ts'

/** One promise of the storage boundary and the code that checks it. */
export interface ConformanceCase {
  /** The promise, as a sentence. */
  readonly name: string
  /** Rejects with a message that says what was found and what was expected. */
  readonly run: () => Promise<void>
}

/** What a scenario works with. */
export interface ScenarioContext {
  /** Empty, and used by nobody else. */
  readonly storage: Storage
  /** A new SHA-1 repository of key `repository` whose HEAD names `refs/heads/main`. */
  readonly createRepository: () => Promise<RepositoryStorage>
  /** One more handle on that repository. */
  readonly openRepository: () => Promise<RepositoryStorage>
}

/** A case before it was given a storage. */
export interface Scenario {
  readonly name: string
  readonly run: (context: ScenarioContext) => Promise<void>
}

/** A scenario as one call, which gives its function the types it needs. */
export function scenario(name: string, run: Scenario['run']): Scenario {
  return { name, run }
}
