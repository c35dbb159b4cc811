import { GitError } from '../errors.ts'

/**
 * Checks the name under which a commit adds a pack.
 *
 * @throws GitError `INVALID_ARGUMENT` unless it is `pack-` and a checksum in lowercase hexadecimal.
 */
export function assertPackName(name: string): void {
  if (/^pack-(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(name)) return
  throw new GitError(
    'INVALID_ARGUMENT',
    `'${name.slice(0, 100)}' is not a pack name; expected 'pack-' and the pack's checksum in lowercase hexadecimal`,
    { details: { pack: name } },
  )
}
