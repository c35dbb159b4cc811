/** What can go wrong, as one closed list; every thrown error of this project carries one of these. */
export type GitErrorCode =
  /** An object's bytes do not parse, or do not hash to its id. */
  | 'CORRUPT_OBJECT'
  /** A pack's bytes break the format, its checksum, or its object count. */
  | 'CORRUPT_PACK'
  /** A pack index, or a mask, breaks the format or its checksum, does not belong to its pack, or is missing. */
  | 'CORRUPT_INDEX'
  /** A delta does not apply to its base. */
  | 'CORRUPT_DELTA'
  /** A zlib stream is malformed, too short or of the wrong length. */
  | 'CORRUPT_ZLIB'
  /** A stored ref, packed-refs line or reflog line does not parse. */
  | 'CORRUPT_REF'
  /** A config file does not parse. */
  | 'CORRUPT_CONFIG'
  /** An object that must be there is not. */
  | 'MISSING_OBJECT'
  /** A delta names a base that is neither in its pack nor in the store. */
  | 'MISSING_BASE'
  /** A received object violates git's fsck rules. */
  | 'FSCK'
  /** Not a hexadecimal object id of the expected length. */
  | 'INVALID_ID'
  /** A ref name breaks git's rules. */
  | 'INVALID_REF_NAME'
  /** An argument or option of a call is wrong; the message names it. */
  | 'INVALID_ARGUMENT'
  /** A repository, ref or file that was asked for by name does not exist. */
  | 'NOT_FOUND'
  /** A repository of this name exists already. */
  | 'ALREADY_EXISTS'
  /** What the call was based on has changed meanwhile, and nothing was done: look again and repeat it. */
  | 'CONFLICT'
  /** A lock is held by somebody else. */
  | 'LOCKED'
  /** A configured limit was exceeded; `details.limit` names it. */
  | 'LIMIT_EXCEEDED'
  /** The peer broke the Git protocol. */
  | 'PROTOCOL'
  /** The peer may not do what it asked for. */
  | 'FORBIDDEN'
  /** Legal Git that this engine does not support. */
  | 'UNSUPPORTED'
  /** A remote cannot be reached, failed by its own account, or the connection to it broke. Trying again may help. */
  | 'UNAVAILABLE'
  /** The storage failed. `cause` has its own error. */
  | 'STORAGE'
  /** The caller's abort signal fired, or the peer went away. */
  | 'ABORTED'

/** Structured facts about a failure, for programs; the message says the same for people. */
export type GitErrorDetails = Readonly<Record<string, string | number | boolean | undefined>>

export interface GitErrorOptions {
  readonly details?: GitErrorDetails
  readonly cause?: unknown
}

const BRAND = Symbol.for('packstone.GitError')

/**
 * The one error class of this project. Switch on `code`, read facts from `details`.
 *
 * Recognise it with {@link isGitError}, which also holds across two copies of the library in one process.
 */
export class GitError extends Error {
  readonly code: GitErrorCode
  readonly details: GitErrorDetails
  readonly [BRAND] = true

  constructor(code: GitErrorCode, message: string, options: GitErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'GitError'
    this.code = code
    this.details = options.details ?? {}
  }
}

/** Tells whether a caught value is a {@link GitError}, optionally of one code. */
export function isGitError(value: unknown, code?: GitErrorCode): value is GitError {
  return (
    typeof value === 'object' &&
    value !== null &&
    BRAND in value &&
    (code === undefined || (value as GitError).code === code)
  )
}
