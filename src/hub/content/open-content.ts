import { isGitError, type GitErrorCode } from '../../errors.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import type { Repository } from '../../repository/repository.ts'
import { ArtifactsError } from '../artifacts-error.ts'
import type { HubContext } from '../hub-context.ts'
import type { RepositoryRecord } from '../registry/records.ts'
import { repositoryNotFound } from '../repositories/find-repository.ts'

/** The objects of one repository, open for reading. */
export interface OpenContent {
  readonly repository: Repository
  readonly view: ObjectView
  /** Idempotent. */
  close(): Promise<void>
}

const CORRUPTIONS: ReadonlySet<GitErrorCode> = new Set<GitErrorCode>([
  'CORRUPT_OBJECT',
  'CORRUPT_PACK',
  'CORRUPT_INDEX',
  'CORRUPT_DELTA',
  'CORRUPT_ZLIB',
  'CORRUPT_REF',
  'MISSING_OBJECT',
  'MISSING_BASE',
])

/**
 * Opens the content of a repository.
 *
 * @throws ArtifactsError `NOT_FOUND` when it was deleted meanwhile.
 */
export async function openContent(hub: HubContext, record: RepositoryRecord): Promise<OpenContent> {
  const { repository, release } = await explained(hub, record, () => hub.repositories.borrow(record.id))
  try {
    const view = await explained(hub, record, () => repository.openView())
    let isOpen = true
    const close = async (): Promise<void> => {
      if (!isOpen) return
      isOpen = false
      await view.close()
      release()
    }
    return { repository, view, close }
  } catch (error) {
    release()
    throw error
  }
}

/**
 * Reads something of a repository's content.
 *
 * @throws ArtifactsError `NOT_FOUND` when it was deleted meanwhile, `INTERNAL_ERROR` when what is stored is damaged.
 */
export async function readContent<T>(
  hub: HubContext,
  record: RepositoryRecord,
  read: (content: OpenContent) => Promise<T>,
): Promise<T> {
  const content = await openContent(hub, record)
  try {
    return await explained(hub, record, () => read(content))
  } finally {
    await content.close()
  }
}

/** What is told of an object that is not what it should be. */
export function corruptObject(cause?: unknown): ArtifactsError {
  return new ArtifactsError('INTERNAL_ERROR', 'A stored git object is corrupt.', { cause })
}

/** Runs something; what the engine throws becomes what clients are told. */
export async function explained<T>(
  hub: HubContext,
  record: RepositoryRecord,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (isGitError(error, 'NOT_FOUND')) throw repositoryNotFound(record.name)
    if (!isGitError(error) || !CORRUPTIONS.has(error.code)) throw error
    hub.onError(error)
    throw corruptObject(error)
  }
}
