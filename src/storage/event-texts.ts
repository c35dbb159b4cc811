import { encodeUtf8 } from '../bytes/text.ts'
import { GitError } from '../errors.ts'

/** The longest text of an outbox, in bytes of UTF-8. */
export const MAX_EVENT_BYTES = 1 << 20

/**
 * Checks texts before they are appended to an outbox.
 *
 * @throws GitError `LIMIT_EXCEEDED`
 */
export function assertEventTexts(texts: readonly string[]): readonly string[] {
  for (const text of texts) {
    // A code unit takes at most three bytes.
    if (3 * text.length <= MAX_EVENT_BYTES) continue
    const bytes = encodeUtf8(text).length
    if (bytes <= MAX_EVENT_BYTES) continue
    throw new GitError(
      'LIMIT_EXCEEDED',
      `an event has ${bytes} bytes; at most ${MAX_EVENT_BYTES} are stored: tell it in several`,
      { details: { limit: 'eventBytes', maximum: MAX_EVENT_BYTES } },
    )
  }
  return texts
}

/**
 * Checks how many events are asked for.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function assertEventLimit(limit: number): void {
  if (Number.isSafeInteger(limit) && limit >= 1) return
  throw new GitError('INVALID_ARGUMENT', `limit is ${limit}; expected a whole number of at least 1`)
}
