import { expect } from 'vitest'
import { isGitError, type GitErrorCode } from '../../src/errors.ts'

/** A matcher for `toThrow`: a GitError of this code, with a message that contains the text. */
export function gitError(code: GitErrorCode, text = ''): Error {
  const matcher: unknown = expect.objectContaining({
    code,
    message: expect.stringContaining(text) as unknown,
  })
  return matcher as Error
}

/** Runs something; resolves with the GitError it threw, `undefined` when it succeeded. Other errors are thrown on. */
export async function caughtGitError(run: () => unknown): Promise<{ code: GitErrorCode } | undefined> {
  try {
    await run()
    return undefined
  } catch (error) {
    if (isGitError(error)) return error
    throw error
  }
}
