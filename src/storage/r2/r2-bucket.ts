import type { Bucket, BucketLimits, PutCondition } from '../manifest/bucket.ts'
import type { R2BucketBinding, R2Condition, R2Part } from './r2-binding.ts'
import { r2Error } from './r2-errors.ts'

/** The {@link Bucket} over the binding of an R2 bucket. */
export function openR2Bucket(binding: R2BucketBinding, limits: BucketLimits): Bucket {
  const location = 'r2'
  const attempt = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await call()
    } catch (error) {
      throw r2Error(location, error)
    }
  }
  return {
    location,
    limits,

    get: (key, { range, unless } = {}) =>
      attempt(async () => {
        const object = await binding.get(key, {
          ...(range === undefined ? {} : { range: { ...range } }),
          ...(unless === undefined ? {} : { onlyIf: { etagDoesNotMatch: unless } }),
        })
        if (object === null) return undefined
        if (object.arrayBuffer === undefined) return 'unchanged'
        return { bytes: new Uint8Array(await object.arrayBuffer()), etag: object.etag }
      }),

    put: (key, bytes, condition) =>
      attempt(async () => {
        const options = condition === undefined ? {} : { onlyIf: conditionOf(condition) }
        return (await binding.put(key, bytes, options))?.etag
      }),

    beginUpload: (key) =>
      attempt(async () => {
        const upload = await binding.createMultipartUpload(key)
        const parts: R2Part[] = []
        return {
          uploadPart: (number, bytes) =>
            attempt(async () => {
              parts[number - 1] = await upload.uploadPart(number, bytes)
            }),
          complete: () =>
            attempt(async () => {
              await upload.complete(parts)
            }),
          abort: () => attempt(() => upload.abort()),
        }
      }),

    list: (options) =>
      attempt(async () => {
        const { objects, truncated, cursor } = await binding.list({ ...options })
        const listed = objects.map(({ key, size, uploaded, etag }) => ({
          key,
          size,
          uploaded: uploaded.getTime(),
          etag,
        }))
        return truncated && cursor !== undefined ? { objects: listed, cursor } : { objects: listed }
      }),

    delete: (keys) => attempt(() => binding.delete([...keys])),
  }
}

function conditionOf(condition: PutCondition): R2Condition {
  return condition.kind === 'absent' ? { etagDoesNotMatch: '*' } : { etagMatches: condition.etag }
}
