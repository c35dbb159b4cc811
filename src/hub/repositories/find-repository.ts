import { ArtifactsError } from '../artifacts-error.ts'
import type { HubContext } from '../hub-context.ts'
import type { RepositoryRecord, RepositoryStatus } from '../registry/records.ts'

const IN_PROGRESS = {
  creating: ['CREATE_IN_PROGRESS', 'created'],
  importing: ['IMPORT_IN_PROGRESS', 'imported'],
  forking: ['FORK_IN_PROGRESS', 'forked'],
} as const satisfies Readonly<Record<Exclude<RepositoryStatus, 'ready'>, unknown>>

/**
 * Finds a repository that can be used, by name.
 *
 * @throws ArtifactsError `NOT_FOUND`, `CREATE_IN_PROGRESS`, `IMPORT_IN_PROGRESS`, `FORK_IN_PROGRESS`
 */
export async function findRepository(
  hub: HubContext,
  namespace: string,
  name: string,
): Promise<RepositoryRecord> {
  const record = await hub.registry.findRepository(namespace, name)
  if (record === undefined) throw repositoryNotFound(name)
  assertReady(record)
  return record
}

/** @throws ArtifactsError `CREATE_IN_PROGRESS`, `IMPORT_IN_PROGRESS`, `FORK_IN_PROGRESS` */
export function assertReady(record: RepositoryRecord): void {
  if (record.status === 'ready') return
  const [code, done] = IN_PROGRESS[record.status]
  throw new ArtifactsError(code, `The repository is still being ${done}: ${record.name}.`, {
    restMessage: `Repository is still being ${done}`,
  })
}

export function repositoryNotFound(name: string): ArtifactsError {
  return new ArtifactsError('NOT_FOUND', `Repository not found: ${name}.`, {
    restMessage: 'Repository not found',
  })
}
