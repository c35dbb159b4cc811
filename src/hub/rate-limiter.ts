import { GitError } from '../errors.ts'
import type { RequestRate } from './hub-limits.ts'

/** Windows that are remembered. Beyond it the oldest is forgotten, to the benefit of whoever it counted. */
const MOST_WINDOWS = 100_000

/** Counts requests by key, in windows that begin with the first request. */
export interface RateLimiter {
  /** Counts a request; the seconds to wait, at least 1, when it is one too many. */
  count(key: string): number | undefined
}

/**
 * Creates a limiter. Its counts are those of this process.
 *
 * @param now milliseconds since the epoch.
 * @throws GitError `INVALID_ARGUMENT`
 */
export function createRateLimiter(rate: RequestRate, now: () => number): RateLimiter {
  if (!(rate.requests >= 1) || !(rate.seconds > 0)) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `a rate of ${rate.requests} requests in ${rate.seconds} s lets nobody in; expected 1 or more in more than 0`,
    )
  }
  const windows = new Map<string, { readonly end: number; count: number }>()
  return {
    count(key) {
      const at = now()
      let window = windows.get(key)
      if (window === undefined || window.end <= at) {
        window = { end: at + rate.seconds * 1000, count: 0 }
        // At the end of the order, which is that of age.
        windows.delete(key)
        windows.set(key, window)
        if (windows.size > MOST_WINDOWS) windows.delete(oldest(windows))
      }
      window.count++
      return window.count <= rate.requests ? undefined : Math.max(1, Math.ceil((window.end - at) / 1000))
    },
  }
}

function oldest(windows: ReadonlyMap<string, unknown>): string {
  for (const key of windows.keys()) return key
  return ''
}
