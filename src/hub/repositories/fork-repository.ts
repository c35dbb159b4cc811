import { isGitError } from '../../errors.ts'
import { forkRepository as forkStored } from '../../repository/fork/fork-repository.ts'
import { ArtifactsError } from '../artifacts-error.ts'
import type { HubContext } from '../hub-context.ts'
import type { RepositoryRecord } from '../registry/records.ts'
import { repositoryNotFound } from './find-repository.ts'
import { holdLease } from './hold-lease.ts'
import { repositoryKey } from './repository-id.ts'
import {
  abandonReservation,
  finishReservation,
  reserveRepository,
  type CreatedRepository,
} from './reserve-repository.ts'

export interface ForkPlan {
  /** Of the fork, which is in the namespace of its source. */
  readonly name: string
  /** That of the source is not taken over. */
  readonly description?: string | null
  readonly readOnly?: boolean
  /** Whether only the default branch comes along, or every ref. */
  readonly defaultBranchOnly: boolean
}

/**
 * Forks a repository: the fork begins with what the refs of its source reach now, and shares the packs that hold it.
 *
 * @throws ArtifactsError `INVALID_REPO_NAME`, `ALREADY_EXISTS`; `NOT_FOUND` when either was deleted meanwhile; `UPSTREAM_UNAVAILABLE`
 * when the source changes faster than it can be forked
 */
export async function forkRepository(
  hub: HubContext,
  source: RepositoryRecord,
  plan: ForkPlan,
): Promise<CreatedRepository> {
  const reservation = await reserveRepository(hub, {
    namespace: source.namespace,
    name: plan.name,
    description: plan.description ?? null,
    defaultBranch: source.defaultBranch,
    readOnly: plan.readOnly ?? false,
    source: `artifacts:${source.namespace}/${source.name}`,
    status: 'forking',
  })
  const { record } = reservation
  try {
    const objects = await holdLease(hub, record, (signal) => share(hub, source, record, plan, signal))
    const events = hub.events.forked(source, { ...record, status: 'ready' })
    const created = await finishReservation(hub, reservation, { updatedAt: record.createdAt, events })
    return { ...created, objects }
  } catch (error) {
    await abandonReservation(hub, record)
    throw told(error, source)
  }
}

/** Makes the fork in the storage; the number of its objects. */
async function share(
  hub: HubContext,
  source: RepositoryRecord,
  fork: RepositoryRecord,
  { defaultBranchOnly }: ForkPlan,
  signal: AbortSignal,
): Promise<number> {
  return hub.repositories.use(source.id, async (repository) => {
    const { storage, objectCount } = await forkStored(
      hub.storage,
      repositoryKey(source.id),
      repositoryKey(fork.id),
      {
        codecs: hub.codecs,
        memoryBudget: hub.memoryBudget,
        repository,
        head: `refs/heads/${source.defaultBranch}`,
        refs: defaultBranchOnly ? 'head' : 'all',
        signal,
      },
    )
    await storage.close()
    return objectCount
  })
}

/** What the client is told of a failure, where it is not one of the server. */
function told(error: unknown, source: RepositoryRecord): unknown {
  if (isGitError(error, 'NOT_FOUND')) return repositoryNotFound(source.name)
  if (isGitError(error, 'CONFLICT')) {
    return new ArtifactsError('UPSTREAM_UNAVAILABLE', 'The repository is changing too fast. Please retry.', {
      status: 503,
      cause: error,
    })
  }
  return error
}
