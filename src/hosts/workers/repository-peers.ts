import type { RepositoryPeers } from '../../storage/sqlite-r2/index.ts'
import type { WorkerEnvironment } from './bindings.ts'
import { objectOf } from './object-of.ts'
import { openOutcome } from './object-outcome.ts'

/**
 * What is small of a repository lies in the Durable Object that is named by its key: there it is asked for.
 *
 * @param isHere whether a repository's object is the one that asks.
 */
export function createRepositoryPeers(
  { REPOSITORIES }: Pick<WorkerEnvironment, 'REPOSITORIES'>,
  isHere: (key: string) => boolean,
): RepositoryPeers {
  return {
    isHere,
    getManifest: async (key, options) =>
      openOutcome(await objectOf(REPOSITORIES, key).getManifest(key, options)),
    putManifest: async (key, bytes, condition) =>
      openOutcome(await objectOf(REPOSITORIES, key).putManifest(key, bytes, condition)),
    getObject: async (key, object, options) =>
      openOutcome(await objectOf(REPOSITORIES, key).getObject(key, object, options)),
  }
}
