import { parseCommitLinks } from '../../object/commit-links.ts'
import { isGitlinkMode, isTreeMode } from '../../object/file-mode.ts'
import { parseObjectId, type ObjectId } from '../../object/object-id.ts'
import { COMMIT } from '../../object/object-type.ts'
import { readTyped } from '../../repository/read/read-typed.ts'
import { resolveRevision } from '../../repository/read/resolve-revision.ts'
import { findPath, parseTreePath } from '../../repository/read/tree-path.ts'
import { corruptObject, type OpenContent } from './open-content.ts'

/** Raw id of the root tree of a commit. */
export async function readRootTree({ view }: OpenContent, commit: ObjectId): Promise<Uint8Array> {
  const read = await readTyped(view, parseObjectId(commit, view.format), COMMIT)
  if (read.kind !== 'found') throw corruptObject()
  return parseCommitLinks(read.body, view.format).tree
}

/**
 * The blob of a file, or of a symbolic link, at a path of a revision; `undefined` where there is none: no such revision, no such path, a
 * directory, a submodule.
 */
export async function findFile(
  content: OpenContent,
  revision: string,
  path: string,
): Promise<ObjectId | undefined> {
  const segments = parseTreePath(path)
  if (segments === undefined || segments.length === 0) return undefined
  const commit = await resolveRevision(content.repository.storage, content.view, revision)
  if (commit === undefined) return undefined
  const entry = await findPath(content.view, await readRootTree(content, commit), segments)
  if (entry === undefined || isTreeMode(entry.mode) || isGitlinkMode(entry.mode)) return undefined
  return entry.id
}
