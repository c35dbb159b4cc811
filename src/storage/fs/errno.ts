import { GitError, isGitError } from '../../errors.ts'

/** Tells whether a caught value is a system error of one of these codes, e.g. `ENOENT`. */
export function hasErrno(error: unknown, ...codes: readonly string[]): boolean {
  const code = errnoOf(error)
  return code !== undefined && codes.includes(code)
}

/** Tells whether a caught value says that nothing is at a path. */
export function isAbsent(error: unknown): boolean {
  return hasErrno(error, 'ENOENT', 'ENOTDIR')
}

/** Runs one operation of a storage; system errors come out as GitError `STORAGE`, with the place and the cause. */
export async function storing<T>(location: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const errno = errnoOf(error)
    if (isGitError(error) || errno === undefined || !(error instanceof Error)) throw error
    throw new GitError('STORAGE', `${location}: ${error.message}`, { details: { errno }, cause: error })
  }
}

function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}
