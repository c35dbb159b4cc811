import { ArtifactsError } from '../artifacts-error.ts'
import type { HubContext } from '../hub-context.ts'
import type { RepositoryRecord } from '../registry/records.ts'
import { createStored } from '../repositories/create-repository.ts'
import { holdLease } from '../repositories/hold-lease.ts'
import {
  abandonReservation,
  finishReservation,
  reserveRepository,
  type CreatedRepository,
} from '../repositories/reserve-repository.ts'
import { DEFAULT_IMPORT_TIMEOUT, type ImportOptions } from './import-options.ts'
import { unavailable } from './import-failure.ts'
import { parseImportSource, shownUrl, type ImportRequest, type ImportSource } from './import-source.ts'
import { transfer, type Transferred } from './transfer.ts'
import { encodeImportWork } from './import-work.ts'

/** A repository to be made of a remote one. */
export interface ImportPlan extends ImportRequest {
  readonly namespace: string
  readonly name: string
  readonly description?: string | null
  readonly readOnly?: boolean
}

/**
 * Imports a remote repository under a new name. It can be used when this resolves; when it fails, nothing is left behind and the name is
 * free again.
 *
 * @throws ArtifactsError `INVALID_REPO_NAME`, `INVALID_INPUT`, `INVALID_URL`, `REMOTE_AUTH_REQUIRED`, `NOT_FOUND`, `ALREADY_EXISTS`,
 * `UPSTREAM_UNAVAILABLE`, `MEMORY_LIMIT`
 */
export async function importRepository(hub: HubContext, plan: ImportPlan): Promise<CreatedRepository> {
  const options = importOptions(hub)
  const source = parseImportSource(plan, options)
  const reservation = await reserveRepository(hub, {
    namespace: plan.namespace,
    name: plan.name,
    description: plan.description ?? null,
    readOnly: plan.readOnly ?? false,
    status: 'importing',
    source: `git:${shownUrl(source)}`,
    work: encodeImportWork(source),
  })
  const { record } = reservation
  let transferred: Transferred
  try {
    transferred = await runTransfer(hub, record, source, options)
  } catch (error) {
    await abandonReservation(hub, record)
    throw error
  }
  const result = importResult(hub, record, source, transferred)
  const created = await finishReservation(hub, reservation, result)
  return { ...created, objects: transferred.objectCount }
}

/** @throws ArtifactsError `UPSTREAM_UNAVAILABLE` where a hub does not import. */
function importOptions({ imports }: HubContext): ImportOptions {
  if (imports !== undefined) return imports
  throw new ArtifactsError('UPSTREAM_UNAVAILABLE', 'This server does not import repositories.', {
    status: 503,
  })
}

/** What becomes of the record of an imported repository. */
export function importResult(
  hub: HubContext,
  record: RepositoryRecord,
  source: ImportSource,
  { defaultBranch = record.defaultBranch }: Transferred,
): { readonly defaultBranch: string; readonly events: readonly string[] } {
  const ready: RepositoryRecord = { ...record, defaultBranch, status: 'ready', updatedAt: hub.now() }
  return { defaultBranch, events: hub.events.imported(ready, { url: source.url, branch: source.branch }) }
}

/**
 * Makes the repository in the storage, holding the lease of its record meanwhile. It stops when the record is deleted.
 *
 * @throws ArtifactsError
 */
export function runTransfer(
  hub: HubContext,
  record: RepositoryRecord,
  source: ImportSource,
  { fetch, timeout = DEFAULT_IMPORT_TIMEOUT }: ImportOptions,
): Promise<Transferred> {
  return holdLease(hub, record, async (deleted) => {
    const signal = AbortSignal.any([deleted, AbortSignal.timeout(timeout)])
    try {
      await createStored(hub, record)
      return await hub.repositories.use(record.id, (repository) =>
        transfer(repository, source, { fetch, limits: hub.limits, signal }),
      )
    } catch (error) {
      deleted.throwIfAborted()
      throw signal.aborted ? unavailable(error) : error
    }
  })
}
