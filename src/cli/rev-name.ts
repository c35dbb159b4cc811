import { isObjectId, type ObjectId } from '../object/object-id.ts'
import { isRefName } from '../refs/ref-name.ts'
import type { Repository } from '../repository/repository.ts'

/** Where git looks for a short ref name, in order (gitrevisions, "refname"). */
const PLACES: readonly ((name: string) => string)[] = [
  (name) => name,
  (name) => `refs/${name}`,
  (name) => `refs/tags/${name}`,
  (name) => `refs/heads/${name}`,
  (name) => `refs/remotes/${name}`,
  (name) => `refs/remotes/${name}/HEAD`,
]

/** The id that a full object id or a ref name stands for; `undefined` when it is neither. */
export async function resolveName(repository: Repository, name: string): Promise<ObjectId | undefined> {
  const lower = name.toLowerCase()
  if (isObjectId(lower, repository.format)) return lower
  for (const place of PLACES) {
    const full = place(name)
    const id = isRefName(full) ? await repository.resolveRef(full) : undefined
    if (id !== undefined) return id
  }
  return undefined
}
