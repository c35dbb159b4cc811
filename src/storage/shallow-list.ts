import { GitError } from '../errors.ts'
import type { ShallowChange } from './repository-storage.ts'

/**
 * Checks a list of shallow commits before it is stored.
 *
 * @param hexLength digits in an id of the repository.
 * @returns the ids in byte order, each once: the order of git's `shallow` file.
 * @throws GitError `INVALID_ID`
 */
export function normalizeShallowList(ids: readonly string[], hexLength: number): readonly string[] {
  const isId = new RegExp(`^[0-9a-f]{${hexLength}}$`)
  for (const id of ids) {
    if (isId.test(id)) continue
    throw new GitError(
      'INVALID_ID',
      `shallow commit '${id.slice(0, 80)}' is not an object id; expected ${hexLength} lowercase hexadecimal digits`,
    )
  }
  return [...new Set(ids)].sort()
}

/**
 * Checks a change of the list before it is made.
 *
 * @throws GitError `INVALID_ID`
 */
export function assertShallowChange({ add, remove }: ShallowChange, hexLength: number): void {
  normalizeShallowList([...add, ...remove], hexLength)
}

/** The list after a change that was checked, in byte order. */
export function changeShallowList(
  current: readonly string[],
  { add, remove }: ShallowChange,
): readonly string[] {
  const ids = new Set(current)
  for (const id of remove) ids.delete(id)
  for (const id of add) ids.add(id)
  return [...ids].sort()
}
