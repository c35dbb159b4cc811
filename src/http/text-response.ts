import { isGitError, type GitErrorCode } from '../errors.ts'

/** What keeps an answer out of every cache; `git http-backend` sends the same three. */
export const NO_CACHE: Readonly<Record<string, string>> = {
  Expires: 'Fri, 01 Jan 1980 00:00:00 GMT',
  Pragma: 'no-cache',
  'Cache-Control': 'no-cache, max-age=0, must-revalidate',
}

/** For what never changes under its address: a year. */
export const CACHE_FOREVER: Readonly<Record<string, string>> = { 'Cache-Control': 'public, max-age=31536000' }

/** An answer of one line of text, which Git clients show to their user as `remote: …`. */
export function textResponse(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const line = message.replace(/\s*[\r\n]+\s*/g, ' ').trim()
  return new Response(line + '\n', {
    status,
    headers: { ...NO_CACHE, 'Content-Type': 'text/plain; charset=utf-8', ...headers },
  })
}

/** Asks for a user name and a password, so that Git's credential helpers go to work. */
export function unauthorizedResponse(realm: string): Response {
  const quoted = realm.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')
  return textResponse(401, 'authentication required', {
    'WWW-Authenticate': `Basic realm="${quoted}", charset="UTF-8"`,
  })
}

/** The statuses of failures that are the client's to know about. Every other code is a failure of the server: 500. */
const STATUS: Readonly<Partial<Record<GitErrorCode, number>>> = {
  PROTOCOL: 400,
  INVALID_ARGUMENT: 400,
  INVALID_ID: 400,
  INVALID_REF_NAME: 400,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  CONFLICT: 409,
  LIMIT_EXCEEDED: 413,
  UNSUPPORTED: 501,
  LOCKED: 503,
  UNAVAILABLE: 503,
  ABORTED: 503,
}

/**
 * Turns what was thrown before the first byte of an answer into an answer.
 *
 * A failure of the server names its code only: its message may speak of paths and files that are not the client's
 * business.
 */
export function errorResponse(error: unknown): Response {
  if (!isGitError(error)) return textResponse(500, 'the server failed to answer this request')
  const status = STATUS[error.code]
  if (status === undefined) {
    return textResponse(500, `the server failed to answer this request (${error.code})`)
  }
  return textResponse(status, error.message, status === 503 ? { 'Retry-After': '1' } : {})
}
