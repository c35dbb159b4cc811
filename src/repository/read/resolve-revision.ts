import { peelPresent } from '../../graph/peel.ts'
import { encodeObjectId, isObjectId, parseObjectId, type ObjectId } from '../../object/object-id.ts'
import { COMMIT } from '../../object/object-type.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import { isRefName } from '../../refs/ref-name.ts'
import type { RepositoryStorage } from '../../storage/repository-storage.ts'
import { resolveFirstRef } from '../resolve-ref.ts'

/**
 * The commit that a revision names, tags peeled; `undefined` when it names none.
 *
 * A revision is the full id of a commit or tag, `HEAD`, a full ref name, a branch, a tag, or a ref name without its `refs/`, in this
 * order. There is no syntax for ancestors and no abbreviated id.
 */
export async function resolveRevision(
  storage: RepositoryStorage,
  view: ObjectView,
  revision: string,
): Promise<ObjectId | undefined> {
  const named = await readNamed(storage, view.format, revision)
  if (named === undefined) return undefined
  const peeled = await peelPresent(view, parseObjectId(named, view.format))
  return peeled?.type === COMMIT ? encodeObjectId(peeled.id, 0, view.format) : undefined
}

/** The id that a revision names as it is, tags not peeled; it needs no objects. */
export async function readNamed(
  storage: RepositoryStorage,
  format: ObjectFormat,
  revision: string,
): Promise<ObjectId | undefined> {
  if (isObjectId(revision, format)) return revision
  const names = candidateNames(revision)
  if (names.length === 0) return undefined
  return resolveFirstRef(storage, names)
}

function candidateNames(revision: string): string[] {
  const isFull = revision === 'HEAD' || revision.startsWith('refs/')
  const names = [`refs/heads/${revision}`, `refs/tags/${revision}`, `refs/${revision}`]
  return (isFull ? [revision, ...names] : names).filter(isRefName)
}
