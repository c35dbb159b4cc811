import { GitError } from '../errors.ts'

/**
 * Checks that `[start, end)` is a range inside `bytes`.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function assertRange(bytes: Uint8Array, start: number, end: number): void {
  if (!(start >= 0 && start <= end && end <= bytes.length)) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `range [${start}, ${end}) does not lie within an array of ${bytes.length} bytes`,
      { details: { start, end, length: bytes.length } },
    )
  }
}
