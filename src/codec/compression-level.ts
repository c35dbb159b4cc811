import { GitError } from '../errors.ts'

/** The level that zlib itself takes for "default", and git with it (`core.compression` = -1). */
export const DEFAULT_COMPRESSION_LEVEL = 6

/**
 * Returns the zlib level to use for an option value: 0 (store) to 9 (smallest); 6 when the option is absent or -1.
 *
 * @throws GitError `INVALID_ARGUMENT` for anything else.
 */
export function checkedCompressionLevel(level: number | undefined): number {
  if (level === undefined || level === -1) return DEFAULT_COMPRESSION_LEVEL
  if (Number.isInteger(level) && level >= 0 && level <= 9) return level
  throw new GitError('INVALID_ARGUMENT', `compression level is ${level}; expected an integer from -1 to 9`, {
    details: { level },
  })
}
