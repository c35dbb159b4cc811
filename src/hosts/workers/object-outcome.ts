import { GitError, isGitError, type GitErrorCode, type GitErrorDetails } from '../../errors.ts'
import { captureFailure, failureOf, type RpcFailure } from '../../hub/binding/rpc/rpc-outcome.ts'

/** What a method of a Durable Object answers the other parts of the same Worker: failures of the engine go as values too. */
export type ObjectOutcome<T> =
  | { readonly kind: 'value'; readonly value: T }
  | {
      readonly kind: 'git-error'
      readonly code: GitErrorCode
      readonly message: string
      readonly details: GitErrorDetails
    }
  | RpcFailure

/** Runs a method for a caller elsewhere. Other errors than ours reject. */
export async function captureOutcome<T>(run: () => Promise<T>): Promise<ObjectOutcome<T>> {
  try {
    return { kind: 'value', value: await run() }
  } catch (error) {
    if (!isGitError(error)) return captureFailure(error)
    const { code, message, details } = error
    return { kind: 'git-error', code, message, details }
  }
}

/** The value of an outcome. @throws GitError, ArtifactsError as they were thrown elsewhere */
export function openOutcome<T>(outcome: ObjectOutcome<T>): T {
  switch (outcome.kind) {
    case 'value':
      return outcome.value
    case 'git-error':
      throw new GitError(outcome.code, outcome.message, { details: outcome.details })
    case 'failure':
      throw failureOf(outcome)
  }
}
