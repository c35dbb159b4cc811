/** The codes of failures that clients are told, as the `Artifacts` binding names them. */
export type ArtifactsErrorCode = keyof typeof CODES

/** The number and the HTTP status of each code, the same for all interfaces. */
const CODES = {
  INVALID_INPUT: { number: 10100, status: 400 },
  INVALID_REPO_NAME: { number: 10101, status: 400 },
  INVALID_TTL: { number: 10103, status: 400 },
  INVALID_URL: { number: 10104, status: 400 },
  REMOTE_AUTH_REQUIRED: { number: 10106, status: 422 },
  NOT_FOUND: { number: 10200, status: 404 },
  ALREADY_EXISTS: { number: 10201, status: 409 },
  CREATE_IN_PROGRESS: { number: 10301, status: 409 },
  IMPORT_IN_PROGRESS: { number: 10302, status: 409 },
  FORK_IN_PROGRESS: { number: 10303, status: 409 },
  INTERNAL_ERROR: { number: 10400, status: 500 },
  UPSTREAM_UNAVAILABLE: { number: 10401, status: 502 },
  MEMORY_LIMIT: { number: 10402, status: 413 },
} as const

export interface ArtifactsErrorOptions {
  /** The text over REST, where it is not that of the binding. */
  readonly restMessage?: string
  /** The field of a REST request that is wrong, e.g. `/name`. */
  readonly pointer?: string
  /** The HTTP status, where it is not the usual one of the code. */
  readonly status?: number
  readonly cause?: unknown
}

const BRAND = Symbol.for('packstone.ArtifactsError')

/**
 * A failure of the hub that its client is told: over the binding as this error, over REST as an error envelope. The two interfaces
 * word some failures differently, and a failure knows both texts. What is thrown otherwise is a failure of the server.
 *
 * Recognise it with {@link isArtifactsError}.
 */
export class ArtifactsError extends Error {
  override readonly name = 'ArtifactsError'
  readonly code: ArtifactsErrorCode
  /** The code of the REST interface. */
  readonly numericCode: number
  /** The HTTP status over REST. */
  readonly status: number
  /** The text over REST; `message` is that of the binding. */
  readonly restMessage: string
  readonly pointer: string | undefined
  readonly [BRAND] = true

  constructor(code: ArtifactsErrorCode, message: string, options: ArtifactsErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.numericCode = CODES[code].number
    this.status = options.status ?? CODES[code].status
    this.restMessage = options.restMessage ?? message
    this.pointer = options.pointer
  }
}

/** Tells whether a caught value is an {@link ArtifactsError}, optionally of one code. */
export function isArtifactsError(value: unknown, code?: ArtifactsErrorCode): value is ArtifactsError {
  return (
    typeof value === 'object' &&
    value !== null &&
    BRAND in value &&
    (code === undefined || (value as ArtifactsError).code === code)
  )
}
