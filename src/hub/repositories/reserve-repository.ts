import { ArtifactsError } from '../artifacts-error.ts'
import type { HubContext } from '../hub-context.ts'
import { assertNamespaceName, assertRepositoryName, isBranchName } from '../names.ts'
import type { RepositoryRecord, RepositoryStatus } from '../registry/records.ts'
import type { FinishedRepository } from '../registry/registry.ts'
import { DEFAULT_TTL, mintToken, type MintedToken } from '../tokens/token-actions.ts'
import { createId, repositoryKey } from './repository-id.ts'
import { repositoryNotFound } from './find-repository.ts'
import { scheduleCleanup } from './cleanup.ts'

/** How long, in milliseconds, nobody takes over a repository that is being made. */
export const LEASE = 60_000

export interface RepositoryPlan {
  readonly namespace: string
  readonly name: string
  readonly description?: string | null
  /** Default `main`. */
  readonly defaultBranch?: string
  readonly readOnly?: boolean
  readonly source?: string | null
  readonly status: Exclude<RepositoryStatus, 'ready'>
  readonly work?: string
}

/** A name that is taken, for a repository that is being made. */
export interface Reservation {
  readonly record: RepositoryRecord
  /** Its first token, which opens nothing before the repository is ready. */
  readonly token: MintedToken
}

/** A new repository that is ready, with its first token. */
export interface CreatedRepository extends Reservation {
  /** Objects that it began with; `undefined` where nobody counted. */
  readonly objects?: number
}

/**
 * Takes a name. Then the repository is made in the storage, under `repositoryKey(record.id)`, and either {@link finishReservation} or
 * {@link abandonReservation} is called. Who takes longer than {@link LEASE} renews the lease in the registry meanwhile; what nobody
 * finishes is taken up or abandoned by `resumeWork`.
 *
 * @throws ArtifactsError `INVALID_REPO_NAME`, `INVALID_INPUT`, `ALREADY_EXISTS`
 */
export async function reserveRepository(hub: HubContext, plan: RepositoryPlan): Promise<Reservation> {
  assertNamespaceName(plan.namespace)
  assertRepositoryName(plan.name)
  const { defaultBranch = 'main' } = plan
  assertBranch(defaultBranch)
  const now = hub.now()
  const namespace = await hub.registry.findNamespace(plan.namespace)
  const record: RepositoryRecord = {
    id: createId(hub.random),
    namespace: namespace?.name ?? plan.namespace,
    name: plan.name,
    description: plan.description ?? null,
    defaultBranch,
    readOnly: plan.readOnly ?? false,
    source: plan.source ?? null,
    status: plan.status,
    createdAt: now,
    updatedAt: now,
    lastPushAt: null,
    leaseUntil: now + LEASE,
    work: plan.work ?? null,
  }
  const jurisdiction = namespace?.jurisdiction ?? 'unrestricted'
  const token = mintToken(hub, record.id, { scope: 'write', ttl: DEFAULT_TTL, jurisdiction })
  if (await hub.registry.createRepository({ record, token: token.record })) return { record, token }
  throw new ArtifactsError('ALREADY_EXISTS', `repo already exists: ${plan.name}`)
}

/**
 * Makes a reserved repository ready.
 *
 * @param result what differs from its record, and the events besides that of its token. It counts as updated now, unless it says when.
 * @throws ArtifactsError `NOT_FOUND` when it was deleted meanwhile; its data is removed then.
 */
export async function finishReservation(
  hub: HubContext,
  { record, token }: Reservation,
  result: Partial<FinishedRepository> = {},
): Promise<CreatedRepository> {
  const updatedAt = result.updatedAt ?? hub.now()
  const finished: RepositoryRecord = {
    ...record,
    updatedAt,
    defaultBranch: result.defaultBranch ?? record.defaultBranch,
    source: result.source ?? record.source,
    status: 'ready',
    leaseUntil: null,
    work: null,
  }
  const events = [...(result.events ?? []), ...hub.events.tokenCreated(finished, token.record)]
  if (await hub.registry.finishRepository(record.id, { ...result, updatedAt, events })) {
    hub.delivery.notify(record.id)
    return { record: finished, token }
  }
  // Its deletion may have been cleaned up after before the data was there.
  await hub.storage.delete(repositoryKey(record.id))
  throw repositoryNotFound(record.name)
}

/** Gives a reserved name free again and removes what was stored. Nothing is left behind. */
export async function abandonReservation(hub: HubContext, record: RepositoryRecord): Promise<void> {
  await hub.registry.deleteRepository(record.id, { tombstone: false })
  scheduleCleanup(hub)
}

function assertBranch(name: string): void {
  if (isBranchName(name)) return
  throw new ArtifactsError('INVALID_INPUT', 'Artifacts default branch is invalid', {
    restMessage: 'Invalid branch name',
    pointer: '/default_branch',
  })
}
