import { decodeUtf8, encodeUtf8 } from '../../../bytes/text.ts'
import { GitError, isGitError } from '../../../errors.ts'
import type { Bucket, ListedObject } from '../../../storage/manifest/bucket.ts'
import {
  DEFAULT_RETRIES,
  waitAfterRace,
  withRetries,
  type RetryPolicy,
} from '../../../storage/manifest/retrying-bucket.ts'

/** Requests at the same time: as many as a Worker has connections. */
const CONCURRENCY = 6

/** How often a change begins anew because others were faster. */
const MOST_RACES = 100

/** An object as it is now. */
interface ReadObject<T> {
  readonly value: T
  /** Of the change that wrote it. */
  readonly revision: string | undefined
  readonly etag: string
}

/** Objects of JSON in a bucket. */
export class JsonObjects {
  readonly #bucket: Bucket
  readonly #retries: RetryPolicy
  readonly #random: () => string

  constructor(bucket: Bucket, random: () => string, retries: RetryPolicy = DEFAULT_RETRIES) {
    this.#bucket = withRetries(bucket, retries)
    this.#retries = retries
    this.#random = random
  }

  get location(): string {
    return this.#bucket.location
  }

  /** What an object holds, as it was written; `undefined` where there is none. */
  async read<T>(key: string): Promise<T | undefined> {
    return (await this.#read<T>(key))?.value
  }

  async write(key: string, value: unknown): Promise<void> {
    await this.#bucket.put(key, encodeUtf8(JSON.stringify({ value })))
  }

  /**
   * Changes an object, beginning anew when another was faster.
   *
   * @param change makes the new value of the old one, and something to answer with; without a new value nothing is written.
   * @throws GitError `CONFLICT` when others are always faster; whatever `change` throws
   */
  async change<T, R>(
    key: string,
    change: (value: T | undefined) => { readonly value?: T; readonly answer: R },
  ): Promise<R> {
    for (let race = 0; race < MOST_RACES; race++) {
      const found = await this.#read<T>(key)
      const { value, answer } = change(found?.value)
      if (value === undefined) return answer
      const revision = this.#random()
      const condition =
        found === undefined ? ({ kind: 'absent' } as const) : ({ kind: 'match', etag: found.etag } as const)
      if (await this.#putIf(key, { value, revision }, condition)) return answer
      await waitAfterRace(this.#retries, race)
    }
    throw new GitError('CONFLICT', `${this.location}: others change ${key} all the time; try again`)
  }

  /** All objects whose keys begin with a prefix, in the order of keys. */
  async list(prefix: string, startAfter?: string): Promise<ListedObject[]> {
    const objects: ListedObject[] = []
    let cursor: string | undefined
    do {
      const page = await this.#bucket.list({
        prefix,
        ...(startAfter === undefined ? {} : { startAfter }),
        ...(cursor === undefined ? {} : { cursor }),
      })
      objects.push(...page.objects)
      cursor = page.cursor
    } while (cursor !== undefined)
    return objects
  }

  /** What several objects hold, in order. */
  async readAll<T>(keys: readonly string[]): Promise<(T | undefined)[]> {
    const values = new Array<T | undefined>(keys.length)
    let next = 0
    const worker = async (): Promise<void> => {
      for (let at = next++; at < keys.length; at = next++) values[at] = await this.read<T>(keys[at] ?? '')
    }
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, keys.length) }, worker))
    return values
  }

  async delete(keys: readonly string[]): Promise<void> {
    const { maxDeletes } = this.#bucket.limits
    for (let at = 0; at < keys.length; at += maxDeletes) {
      await this.#bucket.delete(keys.slice(at, at + maxDeletes))
    }
  }

  async #read<T>(key: string): Promise<ReadObject<T> | undefined> {
    const object = await this.#bucket.get(key)
    if (object === undefined || object === 'unchanged') return undefined
    // Whatever is below our prefix was written by `write` and `change`.
    const { value, revision } = JSON.parse(decodeUtf8(object.bytes)) as { value: T; revision?: string }
    return { value, revision, etag: object.etag }
  }

  /** Puts under a condition. A put that may have taken place is found out about by its revision. */
  async #putIf(
    key: string,
    stored: { readonly value: unknown; readonly revision: string },
    condition: NonNullable<Parameters<Bucket['put']>[2]>,
  ): Promise<boolean> {
    try {
      return (await this.#bucket.put(key, encodeUtf8(JSON.stringify(stored)), condition)) !== undefined
    } catch (error) {
      if (!isGitError(error, 'UNAVAILABLE')) throw error
      // Another may have put over it meanwhile: that it took place is then not seen, and the change is judged anew.
      return (await this.#read(key))?.revision === stored.revision
    }
  }
}
