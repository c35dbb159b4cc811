import { GitError, isGitError, type GitErrorCode, type GitErrorDetails } from '../../errors.ts'
import { ArtifactsError, isArtifactsError, type ArtifactsErrorCode } from '../../hub/artifacts-error.ts'

/**
 * What a method answers across RPC. The runtime passes on no more of an error than its message, and callers switch on codes: so errors of
 * this project go as values.
 */
export type RpcOutcome<T> =
  | { readonly kind: 'value'; readonly value: T }
  | {
      readonly kind: 'git-error'
      readonly code: GitErrorCode
      readonly message: string
      readonly details: GitErrorDetails
    }
  | {
      readonly kind: 'artifacts-error'
      readonly code: ArtifactsErrorCode
      readonly message: string
      readonly restMessage: string
      readonly status: number
      readonly pointer: string | undefined
    }

/** Runs a method for a caller elsewhere. Other errors than ours reject. */
export async function captureOutcome<T>(run: () => Promise<T>): Promise<RpcOutcome<T>> {
  try {
    return { kind: 'value', value: await run() }
  } catch (error) {
    if (isGitError(error)) {
      const { code, message, details } = error
      return { kind: 'git-error', code, message, details }
    }
    if (isArtifactsError(error)) {
      const { code, message, restMessage, status, pointer } = error
      return { kind: 'artifacts-error', code, message, restMessage, status, pointer }
    }
    throw error
  }
}

/** The value of an outcome. @throws GitError, ArtifactsError as they were thrown elsewhere */
export function openOutcome<T>(outcome: RpcOutcome<T>): T {
  switch (outcome.kind) {
    case 'value':
      return outcome.value
    case 'git-error':
      throw new GitError(outcome.code, outcome.message, { details: outcome.details })
    case 'artifacts-error': {
      const { code, message, restMessage, status, pointer } = outcome
      throw new ArtifactsError(code, message, {
        restMessage,
        status,
        ...(pointer === undefined ? {} : { pointer }),
      })
    }
  }
}
