import { isGitError, type GitErrorCode } from '../errors.ts'

const PASSING: readonly GitErrorCode[] = ['LOCKED', 'UNAVAILABLE', 'CONFLICT']

/** Tells whether something failed that may work soon, such as a store that is busy. */
export function isPassingFailure(error: unknown): boolean {
  return isGitError(error) && PASSING.includes(error.code)
}
