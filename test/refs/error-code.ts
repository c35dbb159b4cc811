import { isGitError } from '../../src/errors.ts'

/** The code of the GitError that an action throws, `none` when it throws nothing, otherwise what it threw. */
export function errorCode(action: () => unknown): string {
  try {
    action()
    return 'none'
  } catch (error) {
    return isGitError(error) ? error.code : String(error)
  }
}
