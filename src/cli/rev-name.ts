import { isObjectId, type ObjectId } from '../object/object-id.ts'
import { isRefName } from '../refs/ref-name.ts'
import { expandShortName } from '../refs/short-ref-name.ts'
import type { Repository } from '../repository/repository.ts'

/** The id that a full object id or a ref name stands for; `undefined` when it is neither. */
export async function resolveName(repository: Repository, name: string): Promise<ObjectId | undefined> {
  const lower = name.toLowerCase()
  if (isObjectId(lower, repository.format)) return lower
  for (const full of expandShortName(name)) {
    const id = isRefName(full) ? await repository.resolveRef(full) : undefined
    if (id !== undefined) return id
  }
  return undefined
}
