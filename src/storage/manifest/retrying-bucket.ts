import { isGitError } from '../../errors.ts'
import type { Bucket } from './bucket.ts'

/** How often, and after how long, a call is repeated. */
export interface RetryPolicy {
  /** Calls in all. */
  readonly attempts: number
  /** Upper bound of the first wait, in milliseconds; it doubles from one to the next. */
  readonly firstWait: number
  /** Upper bound of every wait, in milliseconds. */
  readonly longestWait: number
}

export const DEFAULT_RETRIES: RetryPolicy = { attempts: 6, firstWait: 50, longestWait: 3000 }

/** Waits before the n-th repetition (from 0): a random time, so that of several who wait one gets ahead. */
export function waitBeforeRetry(policy: RetryPolicy, repetition: number): Promise<void> {
  const most = Math.min(policy.longestWait, policy.firstWait * 2 ** repetition)
  return new Promise((resolve) => setTimeout(resolve, Math.random() * most))
}

/** Upper bounds of the waits of who lost a race, in milliseconds: the winner is done, so that less is enough. */
const FIRST_RACE_WAIT = 10
const LONGEST_RACE_WAIT = 400

/** Waits after the n-th race that was lost (from 0). */
export function waitAfterRace(policy: RetryPolicy, race: number): Promise<void> {
  const longestWait = Math.min(LONGEST_RACE_WAIT, policy.longestWait)
  return waitBeforeRetry({ ...policy, firstWait: FIRST_RACE_WAIT, longestWait }, race)
}

/**
 * Repeats calls that fail with `UNAVAILABLE`, all but conditional puts: whether one of those took place is for the caller to find out.
 *
 * @throws GitError the last `UNAVAILABLE` when every attempt failed.
 */
export function withRetries(bucket: Bucket, policy: RetryPolicy = DEFAULT_RETRIES): Bucket {
  const retry = async <T>(call: () => Promise<T>): Promise<T> => {
    for (let repetition = 0; ; repetition++) {
      try {
        return await call()
      } catch (error) {
        if (!isGitError(error, 'UNAVAILABLE') || repetition + 1 >= policy.attempts) throw error
      }
      await waitBeforeRetry(policy, repetition)
    }
  }
  return {
    location: bucket.location,
    limits: bucket.limits,
    get: (key, options) => retry(() => bucket.get(key, options)),
    put: (key, bytes, condition) =>
      condition === undefined ? retry(() => bucket.put(key, bytes)) : bucket.put(key, bytes, condition),
    async beginUpload(key) {
      const upload = await retry(() => bucket.beginUpload(key))
      return {
        uploadPart: (number, bytes) => retry(() => upload.uploadPart(number, bytes)),
        complete: async () => {
          let repeated = false
          await retry(async () => {
            try {
              await upload.complete()
            } catch (error) {
              // An upload that was completed is not there any more to be completed once more.
              if (!repeated || isGitError(error, 'UNAVAILABLE') || !(await isThere(bucket, key))) {
                repeated = true
                throw error
              }
            }
          })
        },
        abort: () => retry(() => upload.abort()),
      }
    },
    list: (options) => retry(() => bucket.list(options)),
    delete: (keys) => retry(() => bucket.delete(keys)),
  }
}

async function isThere(bucket: Bucket, key: string): Promise<boolean> {
  return (await bucket.get(key, { range: { offset: 0, length: 1 } })) !== undefined
}
