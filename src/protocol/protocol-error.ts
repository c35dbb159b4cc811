import { GitError, isGitError, type GitErrorCode } from '../errors.ts'
import type { ProtocolLimits } from './protocol-limits.ts'

/** The error of a peer that broke the protocol; the message is what the peer is told. */
export function protocolError(message: string): GitError {
  return new GitError('PROTOCOL', message)
}

/**
 * Checks a count against a limit.
 *
 * @throws GitError `LIMIT_EXCEEDED`
 */
export function assertWithin(limits: ProtocolLimits, limit: keyof ProtocolLimits, count: number): void {
  if (count <= limits[limit]) return
  throw new GitError('LIMIT_EXCEEDED', `the request exceeds the limit ${limit} of ${limits[limit]}`, {
    details: { limit },
  })
}

const PEER_FAULTS: readonly GitErrorCode[] = [
  'PROTOCOL',
  'LIMIT_EXCEEDED',
  'UNSUPPORTED',
  'FORBIDDEN',
  'INVALID_ID',
  'INVALID_ARGUMENT',
]

/** Tells whether an error is the peer's doing, so that its message is for the peer. Other messages stay inside. */
export function isPeerFault(error: unknown): error is GitError {
  return isGitError(error) && PEER_FAULTS.includes(error.code)
}

/** Tells whether work ended because nobody waits for it any more: such an end is nobody's fault and is passed on. */
export function isAbort(error: unknown, signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true || isGitError(error, 'ABORTED')
}
