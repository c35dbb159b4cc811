import { parseCommitLinks } from '../../object/commit-links.ts'
import { isGitlinkMode, isTreeMode } from '../../object/file-mode.ts'
import { parseObjectId, type ObjectId } from '../../object/object-id.ts'
import { COMMIT } from '../../object/object-type.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import type { RepositoryStorage } from '../../storage/repository-storage.ts'
import { openBlob, type OpenBlob } from './read-blob.ts'
import { readTyped } from './read-typed.ts'
import { resolveRevision } from './resolve-revision.ts'
import { findPath, parseTreePath } from './tree-path.ts'

/** A file of a commit, open for reading. */
export interface OpenFile extends OpenBlob {
  readonly id: ObjectId
  /** E.g. `0o100644`; of a symbolic link `0o120000`, its target being the content. */
  readonly mode: number
}

/**
 * Opens a file, or a symbolic link, at a path of a revision; `undefined` where there is none: no such revision, no such path, a
 * directory, a submodule.
 *
 * @param revision see `resolveRevision`.
 * @param path `/`-separated.
 * @throws GitError `CORRUPT_OBJECT`, `MISSING_OBJECT`
 */
export async function openFile(
  storage: RepositoryStorage,
  view: ObjectView,
  revision: string,
  path: string,
): Promise<OpenFile | undefined> {
  const segments = parseTreePath(path)
  if (segments === undefined || segments.length === 0) return undefined
  const commit = await resolveRevision(storage, view, revision)
  if (commit === undefined) return undefined
  const read = await readTyped(view, parseObjectId(commit, view.format), COMMIT)
  if (read.kind !== 'found') return undefined
  const entry = await findPath(view, parseCommitLinks(read.body, view.format).tree, segments)
  if (entry === undefined || isTreeMode(entry.mode) || isGitlinkMode(entry.mode)) return undefined
  const blob = await openBlob(view, parseObjectId(entry.id, view.format))
  return blob.kind === 'found' ? { ...blob, id: entry.id, mode: entry.mode } : undefined
}
