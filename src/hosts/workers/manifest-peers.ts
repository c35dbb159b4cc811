import type { ManifestPeers } from '../../storage/sqlite-r2/index.ts'
import type { WorkerEnvironment } from './bindings.ts'
import { objectOf } from './object-of.ts'
import { openOutcome } from './rpc-outcome.ts'

/**
 * The state of each repository lies in the Durable Object that is named by its key: there it is asked for.
 *
 * @param isHere whether a repository's object is the one that asks.
 */
export function createManifestPeers(
  { REPOSITORIES }: Pick<WorkerEnvironment, 'REPOSITORIES'>,
  isHere: (key: string) => boolean,
): ManifestPeers {
  return {
    isHere,
    get: async (key, options) => openOutcome(await objectOf(REPOSITORIES, key).getManifest(key, options)),
    put: async (key, bytes, condition) =>
      openOutcome(await objectOf(REPOSITORIES, key).putManifest(key, bytes, condition)),
  }
}
