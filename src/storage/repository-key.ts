import { GitError } from '../errors.ts'

/** The longest repository key, in characters, and the longest of its segments. */
export const MAX_REPOSITORY_KEY_LENGTH = 512
export const MAX_REPOSITORY_KEY_SEGMENT_LENGTH = 200

const SEGMENT = /^(?!\.)[A-Za-z0-9._-]+(?<!\.lock)$/

/** Tells whether a text can name a repository in a storage: see {@link Storage} for the rule. */
export function isRepositoryKey(key: string): boolean {
  return (
    key.length <= MAX_REPOSITORY_KEY_LENGTH &&
    key
      .split('/')
      .every((segment) => segment.length <= MAX_REPOSITORY_KEY_SEGMENT_LENGTH && SEGMENT.test(segment))
  )
}

/**
 * Checks a repository key.
 *
 * @throws GitError `INVALID_ARGUMENT` unless {@link isRepositoryKey}.
 */
export function assertRepositoryKey(key: string): void {
  if (isRepositoryKey(key)) return
  throw new GitError(
    'INVALID_ARGUMENT',
    `'${key.slice(0, 200)}' is not a repository key; expected segments of letters, digits, '.', '_' and '-' joined by '/', ` +
      `none beginning with '.' or ending in '.lock', at most ${MAX_REPOSITORY_KEY_SEGMENT_LENGTH} characters each ` +
      `and ${MAX_REPOSITORY_KEY_LENGTH} together`,
    { details: { key } },
  )
}
