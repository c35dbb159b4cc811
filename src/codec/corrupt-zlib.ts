import { GitError } from '../errors.ts'

/** Makes the error for a zlib stream that breaks its format. */
export function corruptZlib(found: string, cause?: unknown): GitError {
  return new GitError(
    'CORRUPT_ZLIB',
    `zlib stream is damaged: ${found}`,
    cause === undefined ? {} : { cause },
  )
}

/** Makes the error for a zlib stream whose output is not of the length that was promised. */
export function wrongInflatedSize(expected: number, found: string): GitError {
  return new GitError('CORRUPT_ZLIB', `zlib stream inflates to ${found}; expected ${expected} bytes`, {
    details: { expected },
  })
}

/** Makes the error for a zlib stream whose input ends too early. */
export function truncatedZlib(inputLength: number): GitError {
  return new GitError('CORRUPT_ZLIB', `zlib stream is cut short after ${inputLength} bytes of input`, {
    details: { inputLength },
  })
}

/** Makes the error for bytes that follow a zlib stream where none may. */
export function trailingBytes(consumed: number, inputLength: number): GitError {
  return new GitError(
    'CORRUPT_ZLIB',
    `zlib stream ends after ${consumed} bytes, but ${inputLength - consumed} more bytes follow it`,
    { details: { consumed, inputLength } },
  )
}

/** Makes the error for a zlib stream that inflates to more than the caller allows. */
export function inflatedSizeLimit(maxSize: number): GitError {
  return new GitError('LIMIT_EXCEEDED', `zlib stream inflates to more than the allowed ${maxSize} bytes`, {
    details: { limit: 'maxSize', maxSize },
  })
}

/** Makes the error for input pushed into a codec stream that has failed or was finished. */
export function streamIsOver(): GitError {
  return new GitError('INVALID_ARGUMENT', 'this codec stream was finished or has failed; start a new one')
}
