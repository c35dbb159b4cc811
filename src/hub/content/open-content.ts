import { isGitError, type GitErrorCode } from '../../errors.ts'
import type { ObjectId } from '../../object/object-id.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import { readNamed } from '../../repository/read/resolve-revision.ts'
import type { Repository } from '../../repository/repository.ts'
import { ArtifactsError } from '../artifacts-error.ts'
import type { HubContext } from '../hub-context.ts'
import type { RepositoryRecord } from '../registry/records.ts'
import { repositoryNotFound } from '../repositories/find-repository.ts'

/** The objects of one repository, open for reading. */
export interface OpenContent {
  readonly repository: Repository
  readonly view: ObjectView
  /** What the revisions of {@link ContentOptions} name, tags not peeled; those that name nothing are not in it. */
  readonly named: ReadonlyMap<string, ObjectId>
  /** Idempotent. */
  close(): Promise<void>
}

export interface ContentOptions {
  /** Looked up while the packs are listed, which saves a request where the storage is far away. */
  readonly revisions?: readonly string[]
  /**
   * Whether history is walked: then it pays to read what is written down of reachability, one more request for each pack that was not
   * open before.
   */
  readonly walksHistory?: boolean
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
export async function openContent(
  hub: HubContext,
  record: RepositoryRecord,
  { revisions = [], walksHistory = false }: ContentOptions = {},
): Promise<OpenContent> {
  const { repository, release } = await explained(hub, record, () => hub.repositories.borrow(record.id))
  try {
    const naming = explained(hub, record, () => readAllNamed(repository, revisions))
    // It is awaited below, unless the view fails: then that is told.
    naming.catch(() => undefined)
    const view = await explained(hub, record, () => repository.openView({ objectsOnly: !walksHistory }))
    const named = await naming.catch(async (error: unknown) => {
      await view.close()
      throw error
    })
    let isOpen = true
    const close = async (): Promise<void> => {
      if (!isOpen) return
      isOpen = false
      await view.close()
      release()
    }
    return { repository, view, named, close }
  } catch (error) {
    release()
    throw error
  }
}

async function readAllNamed(
  { storage, format }: Repository,
  revisions: readonly string[],
): Promise<ReadonlyMap<string, ObjectId>> {
  const named = new Map<string, ObjectId>()
  const read = async (revision: string): Promise<void> => {
    const id = await readNamed(storage, format, revision)
    if (id !== undefined) named.set(revision, id)
  }
  await Promise.all(revisions.map(read))
  return named
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
  options: ContentOptions = {},
): Promise<T> {
  const content = await openContent(hub, record, options)
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
