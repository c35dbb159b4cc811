import { isGitError } from '../../errors.ts'
import type { HubContext } from '../hub-context.ts'
import type { RepositoryRecord } from '../registry/records.ts'
import { repositoryKey } from './repository-id.ts'
import {
  abandonReservation,
  finishReservation,
  reserveRepository,
  type CreatedRepository,
  type RepositoryPlan,
} from './reserve-repository.ts'

/**
 * Makes an empty repository, and its namespace where there is none.
 *
 * @throws ArtifactsError `INVALID_REPO_NAME`, `INVALID_INPUT`, `ALREADY_EXISTS`
 */
export async function createRepository(
  hub: HubContext,
  plan: Omit<RepositoryPlan, 'status' | 'work' | 'source'>,
): Promise<CreatedRepository> {
  const reservation = await reserveRepository(hub, { ...plan, status: 'creating' })
  const { record } = reservation
  try {
    await createStored(hub, record)
  } catch (error) {
    await abandonReservation(hub, record)
    throw error
  }
  return finishReservation(hub, reservation, {
    updatedAt: record.createdAt,
    events: hub.events.created({ ...record, status: 'ready' }),
  })
}

/** Makes the empty repository of a record in the storage, unless it is there. */
export async function createStored(hub: HubContext, record: RepositoryRecord): Promise<void> {
  try {
    const stored = await hub.storage.create(repositoryKey(record.id), {
      objectFormat: 'sha1',
      head: `refs/heads/${record.defaultBranch}`,
    })
    await stored.close()
  } catch (error) {
    if (!isGitError(error, 'ALREADY_EXISTS')) throw error
  }
}
