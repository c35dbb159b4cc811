import { GitError } from '../errors.ts'

/** A range of bytes of a file. */
export interface ByteRange {
  readonly offset: number
  readonly length: number
}

/**
 * An immutable file, open for reading. It stays readable until `close`, also when somebody deletes it meanwhile
 * where the store can promise that; otherwise `read` rejects with `NOT_FOUND` and the caller lists packs again.
 */
export interface StoredFile {
  /** Size in bytes. */
  readonly size: number
  /** What one call of `read` reads best, in bytes, where a round trip is dear: a few bytes cost hardly less then. */
  readonly readBytes?: number
  /**
   * Reads ranges, all within the file, in as few round trips as the store needs.
   *
   * @returns one array per range, of exactly its length, owned by the caller.
   * @throws GitError `STORAGE`, `NOT_FOUND`
   */
  read(ranges: readonly ByteRange[]): Promise<Uint8Array[]>
  /**
   * Reads a range into one array with room for headers: `gap` bytes, whose content is undefined, in front of each `every` bytes of the
   * file. Absent where it would be no faster than `read` and copying.
   */
  readSpaced?(range: ByteRange, spacing: Spacing): Promise<Uint8Array>
  /** Releases what keeps the file open. Idempotent. */
  close(): Promise<void>
}

/** Room for headers between the bytes of a file. */
export interface Spacing {
  readonly every: number
  readonly gap: number
}

/** A file being written: whole and readable after `finish`, visible to nobody until a commit names it. */
export interface FileWriter {
  /** Appends a chunk. Resolves when the next one may come; the chunk's buffer then belongs to the caller again. */
  write(chunk: Uint8Array): Promise<void>
  /** Completes the file; it is durable when this resolves. */
  finish(): Promise<StagedFile>
  /** Drops what was written. Idempotent, and harmless after a failed `write`. */
  discard(): Promise<void>
}

/** A complete file that no commit has named yet. */
export interface StagedFile extends StoredFile {
  /** Deletes the file, unless a commit has taken it. Idempotent. */
  discard(): Promise<void>
}

/**
 * Checks that a range lies within a file of a size.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function assertWithin({ offset, length }: ByteRange, size: number, what: string): void {
  const isWhole = Number.isSafeInteger(offset) && Number.isSafeInteger(length)
  if (isWhole && offset >= 0 && length >= 0 && offset + length <= size) return
  throw new GitError(
    'INVALID_ARGUMENT',
    `the range of ${length} bytes at ${offset} is not within ${what}, which has ${size} bytes`,
    { details: { offset, length, size } },
  )
}
