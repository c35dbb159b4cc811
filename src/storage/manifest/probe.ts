import { encodeUtf8 } from '../../bytes/text.ts'
import { GitError, isGitError } from '../../errors.ts'
import type { Bucket } from './bucket.ts'
import { waitBeforeRetry, type RetryPolicy } from './retrying-bucket.ts'

/**
 * Tries whether a store honours the conditions of puts, with an object of its own that is deleted again. Where it does not, two who
 * commit at the same time would both be told that they succeeded.
 *
 * @param newKey names an object that is not there, a new one for each try.
 * @throws GitError `UNSUPPORTED` when it does not; `UNAVAILABLE` when that could not be found out.
 */
export async function assertConditionalWrites(
  bucket: Bucket,
  newKey: () => string,
  policy: RetryPolicy,
): Promise<void> {
  for (let repetition = 0; ; repetition++) {
    try {
      await probe(bucket, newKey())
      return
    } catch (error) {
      if (!isGitError(error, 'UNAVAILABLE') || repetition + 1 >= policy.attempts) throw error
    }
    await waitBeforeRetry(policy, repetition)
  }
}

async function probe(bucket: Bucket, key: string): Promise<void> {
  const refuse = (problem: string): never => {
    throw new GitError(
      'UNSUPPORTED',
      `${bucket.location} does not honour conditional writes (${problem}); expected a store with If-Match and If-None-Match`,
      { details: { store: bucket.location } },
    )
  }
  try {
    const first = await bucket.put(key, encodeUtf8('first'), { kind: 'absent' })
    if (first === undefined) refuse('an object that is not there was taken to be there')
    const again = await bucket.put(key, encodeUtf8('again'), { kind: 'absent' })
    if (again !== undefined) refuse('If-None-Match: * replaced an object')
    const etag = (await readEtag(bucket, key)) ?? refuse('an object that was put is not there')
    const second = await bucket.put(key, encodeUtf8('second'), { kind: 'match', etag })
    if (second === undefined) refuse('If-Match refused the etag of the object')
    const stale = await bucket.put(key, encodeUtf8('stale'), { kind: 'match', etag })
    if (stale !== undefined) refuse('If-Match replaced an object of another etag')
  } finally {
    await bucket.delete([key])
  }
}

async function readEtag(bucket: Bucket, key: string): Promise<string | undefined> {
  const object = await bucket.get(key)
  return object === 'unchanged' ? undefined : object?.etag
}
