import type { Bucket } from '../../../src/storage/manifest/bucket.ts'

/** A call to a store. */
export interface BucketCall {
  readonly method: 'get' | 'put' | 'beginUpload' | 'uploadPart' | 'complete' | 'abort' | 'list' | 'delete'
  /** The object, or what is listed. */
  readonly key: string
  /** Bytes that are sent. */
  readonly bytes: number
}

/** Goes around a call: makes it, as often as it likes. */
export type Around = <T>(call: BucketCall, make: () => Promise<T>) => Promise<T>

/** A store whose every call goes through a function. */
export function wrapBucket(bucket: Bucket, around: Around): Bucket {
  return {
    location: bucket.location,
    limits: bucket.limits,
    get: (key, options) => around({ method: 'get', key, bytes: 0 }, () => bucket.get(key, options)),
    put: (key, bytes, condition) =>
      around({ method: 'put', key, bytes: bytes.length }, () => bucket.put(key, bytes, condition)),
    beginUpload: (key) =>
      around({ method: 'beginUpload', key, bytes: 0 }, async () => {
        const upload = await bucket.beginUpload(key)
        return {
          uploadPart: (number, bytes) =>
            around({ method: 'uploadPart', key, bytes: bytes.length }, () =>
              upload.uploadPart(number, bytes),
            ),
          complete: () => around({ method: 'complete', key, bytes: 0 }, () => upload.complete()),
          abort: () => around({ method: 'abort', key, bytes: 0 }, () => upload.abort()),
        }
      }),
    list: (options) => around({ method: 'list', key: options.prefix, bytes: 0 }, () => bucket.list(options)),
    delete: (keys) => around({ method: 'delete', key: keys.join(' '), bytes: 0 }, () => bucket.delete(keys)),
  }
}

/** A store that notes its calls. */
export function countCalls(bucket: Bucket): { readonly bucket: Bucket; readonly calls: BucketCall[] } {
  const calls: BucketCall[] = []
  return {
    calls,
    bucket: wrapBucket(bucket, (call, make) => {
      calls.push(call)
      return make()
    }),
  }
}
