import { isArtifactsError, type ArtifactsError } from '../artifacts-error.ts'
import { isPassingFailure } from '../passing-failure.ts'

/** Where a list goes on, and how long it is. */
export type ResultInfo =
  | {
      readonly page: number
      readonly per_page: number
      readonly total_pages: number
      readonly count: number
      readonly total_count: number
      readonly cursor?: string
    }
  | { readonly cursor: string; readonly per_page: number; readonly count: number }

export interface EnvelopeError {
  readonly code: number
  readonly message: string
  /** The field that is wrong, e.g. `/name`. */
  readonly pointer?: string
}

/** Codes of Cloudflare's API as a whole, for what no product decides. */
export const AUTHENTICATION_ERROR: EnvelopeError = { code: 10000, message: 'Authentication error' }
export const ACCESS_DENIED: EnvelopeError = { code: 10004, message: 'Access denied' }
export const TOO_MANY_REQUESTS: EnvelopeError = {
  code: 10429,
  message: 'Too many requests. Please retry later.',
}

const UNAVAILABLE: EnvelopeError = {
  code: 10401,
  message: 'The upstream service is unavailable. Please retry.',
}

const DOCUMENTATION = 'https://developers.cloudflare.com/artifacts/api/errors'

/** An answer of the REST interface that carries a result. */
export function resultResponse(
  result: unknown,
  options: { readonly status?: number; readonly info?: ResultInfo } = {},
): Response {
  const envelope = { result, success: true, errors: [], messages: [] }
  const { status = 200, info } = options
  return json(status, info === undefined ? envelope : { ...envelope, result_info: info })
}

/** An answer of the REST interface that says what is wrong. */
export function failureResponse(
  status: number,
  errors: readonly EnvelopeError[],
  headers: Readonly<Record<string, string>> = {},
): Response {
  const listed = errors.map(({ code, message, pointer }) => ({
    code,
    message,
    documentation_url: `${DOCUMENTATION}#${code}`,
    ...(pointer === undefined ? {} : { source: { pointer } }),
  }))
  return json(status, { result: null, success: false, errors: listed, messages: [] }, headers)
}

/** What is told of a failure: those of the server show nothing of its inside. */
export function errorResponse(error: unknown): Response {
  if (isArtifactsError(error)) return artifactsErrorResponse(error)
  if (isPassingFailure(error)) {
    return failureResponse(503, [UNAVAILABLE], { 'Retry-After': '1' })
  }
  return failureResponse(500, [{ code: 10400, message: 'An internal error occurred.' }])
}

function artifactsErrorResponse(error: ArtifactsError): Response {
  const { numericCode: code, restMessage: message, pointer } = error
  return failureResponse(error.status, [{ code, message, ...(pointer === undefined ? {} : { pointer }) }])
}

function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { 'Content-Type': 'application/json', ...headers },
  })
}
