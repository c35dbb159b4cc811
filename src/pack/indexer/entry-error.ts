import { GitError, isGitError } from '../../errors.ts'

/** Makes the error for a pack that ends before it should. */
export function earlyEof(): GitError {
  return new GitError('CORRUPT_PACK', 'early EOF')
}

/** Makes the error for bytes between the last entry and the trailer. */
export function junkAtEnd(): GitError {
  return new GitError('CORRUPT_PACK', 'pack has junk at the end')
}

/** Makes the error for a trailer that is not the checksum of the pack. */
export function wrongTrailer(hashName: string): GitError {
  return new GitError('CORRUPT_PACK', `pack is corrupted (${hashName.toUpperCase()} mismatch)`)
}

/** Makes the error for an ofs-delta whose base is no entry. */
export function baseOutOfBound(): GitError {
  return new GitError('CORRUPT_PACK', 'delta base offset is out of bound')
}

/** Makes the error for deltas that are left without a base. */
export function unresolvedDeltas(unresolved: number, base: string | undefined): GitError {
  return new GitError(
    'MISSING_BASE',
    `pack has ${unresolved} unresolved delta${unresolved === 1 ? '' : 's'}`,
    { details: { unresolved, base } },
  )
}

/** @throws GitError `LIMIT_EXCEEDED` when an object, or a delta, is larger than allowed. */
export function assertObjectSize(size: number, maxObjectBytes: number): void {
  if (size <= maxObjectBytes) return
  throw new GitError('LIMIT_EXCEEDED', `object of ${size} bytes exceeds the maximum of ${maxObjectBytes}`, {
    details: { limit: 'maxObjectBytes' },
  })
}

/** What was thrown while an entry was read, as an error that says where the entry is. */
export function inEntry(error: unknown, offset: number): unknown {
  if (!isGitError(error) || error.code === 'LIMIT_EXCEEDED' || error.message === 'early EOF') return error
  return new GitError('CORRUPT_PACK', `pack has bad object at offset ${offset}: ${error.message}`, {
    details: { offset },
    cause: error,
  })
}
