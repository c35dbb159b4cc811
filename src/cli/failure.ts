import { GitError, isGitError } from '../errors.ts'

/** Exit codes: what failed, and what was asked for wrongly. */
const FAILURE = 1
export const MISUSE = 2

/** An error in how the command was called: exit code 2. */
export function misuse(message: string): GitError {
  return new GitError('INVALID_ARGUMENT', message)
}

/** Says on stderr what went wrong, and sets the exit code. */
export function reportFailure(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`packstone: ${message}\n`)
  process.exitCode = isGitError(error, 'INVALID_ARGUMENT') ? MISUSE : FAILURE
}
