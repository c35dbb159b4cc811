import type { HubContext } from '../hub-context.ts'
import type { RepositoryRecord } from '../registry/records.ts'
import { repositoryNotFound } from './find-repository.ts'
import { LEASE } from './reserve-repository.ts'

/**
 * Does work for a repository that is being made, renewing its lease meanwhile.
 *
 * @param work gets a signal that fires when the repository is deleted.
 * @throws ArtifactsError `NOT_FOUND` when it was deleted; whatever else the work throws
 */
export async function holdLease<T>(
  hub: HubContext,
  record: RepositoryRecord,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deleted = new AbortController()
  const renewing = setInterval(() => {
    hub.registry.renewLease(record.id, hub.now() + LEASE).then((isOurs) => {
      if (!isOurs) deleted.abort(repositoryNotFound(record.name))
    }, hub.onError)
  }, LEASE / 3)
  try {
    return await work(deleted.signal)
  } finally {
    clearInterval(renewing)
  }
}
