import { readLog } from '../../repository/read/read-log.ts'
import { resolveRevision } from '../../repository/read/resolve-revision.ts'
import type { HubContext } from '../hub-context.ts'
import type { RepositoryRecord } from '../registry/records.ts'
import { commitMetadata, type CommitMetadata } from './commit-metadata.ts'
import { readContent, type OpenContent } from './open-content.ts'

export const DEFAULT_LOG_LIMIT = 50
/** Longer logs are cut to this. */
export const MAX_LOG_LIMIT = 1000

export interface LogQuery {
  /** Default `HEAD`. */
  readonly ref?: string | undefined
  readonly limit?: number | undefined
  readonly offset?: number | undefined
}

/** Lists commits along first parents, newest first; none where the revision names no commit. */
export function readHistory(
  hub: HubContext,
  record: RepositoryRecord,
  { ref = 'HEAD', limit = DEFAULT_LOG_LIMIT, offset = 0 }: LogQuery,
): Promise<CommitMetadata[]> {
  const read = async ({ repository, view, named }: OpenContent): Promise<CommitMetadata[]> => {
    const id = named.get(ref)
    const start = id === undefined ? undefined : await resolveRevision(repository.storage, view, id)
    if (start === undefined) return []
    const log = await readLog(view, start, { limit: Math.min(limit, MAX_LOG_LIMIT), offset })
    return log.map(commitMetadata)
  }
  return readContent(hub, record, read, { revisions: [ref] })
}
