import { concatBytes } from '../../../src/bytes/concat.ts'
import { GitError } from '../../../src/errors.ts'
import type { Bucket, BucketLimits, ListedObject } from '../../../src/storage/manifest/bucket.ts'

/** Limits that make small files go in parts. */
export const SMALL_LIMITS: BucketLimits = { partBytes: 64 << 10, maxParts: 10_000, maxDeletes: 10 }

/** What a bucket in memory holds. */
export interface MemoryBucket extends Bucket {
  readonly objects: ReadonlyMap<string, StoredObject>
  /** Uploads that were begun and neither completed nor aborted. */
  readonly uploads: ReadonlySet<string>
}

interface StoredObject extends ListedObject {
  readonly bytes: Uint8Array
  readonly etag: string
}

/**
 * A store in memory that keeps the rules of the port, its limits too.
 *
 * @param from what it begins with.
 */
export function createMemoryBucket(limits: BucketLimits = SMALL_LIMITS, from?: MemoryBucket): MemoryBucket {
  const objects = new Map<string, StoredObject>(from?.objects)
  const uploads = new Set<string>()
  let counter = from?.objects.size === undefined ? 0 : 1_000_000

  const store = (key: string, bytes: Uint8Array): string => {
    const etag = `"${++counter}"`
    objects.set(key, { key, size: bytes.length, uploaded: Date.now(), bytes: bytes.slice(), etag })
    return etag
  }

  /* eslint-disable @typescript-eslint/require-await -- async turns what is thrown into a rejection */
  return {
    location: 'bucket',
    limits,
    objects,
    uploads,
    async get(key, { range, unless } = {}) {
      const object = objects.get(key)
      if (object === undefined) return undefined
      if (unless === object.etag) return 'unchanged'
      const { bytes, etag } = object
      if (range === undefined) return { bytes: bytes.slice(), etag }
      const { offset, length } = range
      if (length < 1 || offset >= bytes.length) throw new GitError('STORAGE', `no range of ${key}`)
      return { bytes: bytes.slice(offset, offset + length), etag }
    },
    async put(key, bytes, condition) {
      const found = objects.get(key)
      if (condition?.kind === 'absent' && found !== undefined) return undefined
      if (condition?.kind === 'match' && found?.etag !== condition.etag) return undefined
      return store(key, bytes)
    },
    async beginUpload(key) {
      const id = `${key}#${++counter}`
      uploads.add(id)
      const parts = new Map<number, Uint8Array>()
      const assertThere = (): void => {
        if (!uploads.has(id)) throw new GitError('STORAGE', 'there is no such upload')
      }
      return {
        async uploadPart(number, bytes) {
          assertThere()
          if (number < 1 || number > limits.maxParts || bytes.length > limits.partBytes) {
            throw new GitError('STORAGE', `part ${number} of ${bytes.length} bytes`)
          }
          parts.set(number, bytes.slice())
        },
        async complete() {
          assertThere()
          const sorted = [...parts].sort(([left], [right]) => left - right)
          if (sorted.slice(0, -1).some(([, { length }]) => length !== limits.partBytes)) {
            throw new GitError('STORAGE', 'parts must have one size')
          }
          uploads.delete(id)
          store(key, concatBytes(sorted.map(([, bytes]) => bytes)))
        },
        async abort() {
          uploads.delete(id)
        },
      }
    },
    async list({ prefix, startAfter = '', cursor = '', limit = 1000 }) {
      const after = cursor > startAfter ? cursor : startAfter
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort()
      const page = keys.slice(0, Math.min(limit, 1000))
      const listed = page.map((key) => {
        const { size, uploaded, etag } = objects.get(key) ?? { size: 0, uploaded: 0, etag: '' }
        return { key, size, uploaded, etag }
      })
      const last = page.at(-1)
      return keys.length > page.length && last !== undefined
        ? { objects: listed, cursor: last }
        : { objects: listed }
    },
    async delete(keys) {
      if (keys.length > limits.maxDeletes) throw new GitError('STORAGE', `${keys.length} keys at once`)
      for (const key of keys) objects.delete(key)
    },
  }
  /* eslint-enable @typescript-eslint/require-await */
}
