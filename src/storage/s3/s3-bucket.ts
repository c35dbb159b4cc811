import type { Bucket, BucketLimits, ListedObject, PutCondition } from '../manifest/bucket.ts'
import { GitError } from '../../errors.ts'
import { textOf, xmlElements, xmlText, type S3Answer, type S3Client } from './s3-client.ts'

/** Deletions on their way at the same time. */
const CONCURRENCY = 6

/**
 * The {@link Bucket} over an S3-compatible service. Objects are deleted one by one: deleting many in one request needs a checksum whose
 * kind services do not agree on.
 */
export function openS3Bucket(client: S3Client, limits: BucketLimits): Bucket {
  return {
    location: client.location,
    limits,

    async get(key, { range, unless } = {}) {
      const headers: Record<string, string> = {}
      if (range !== undefined) headers['range'] = `bytes=${range.offset}-${range.offset + range.length - 1}`
      if (unless !== undefined) headers['if-none-match'] = unless
      const request = { method: 'GET', key, headers, expected: [304, 404] } as const
      const answer = await client.send(request)
      if (answer.status === 304) return 'unchanged'
      if (answer.status !== 404) return { bytes: answer.bytes, etag: etagOf(client, answer) }
      if (xmlText(textOf(answer), 'Code') === 'NoSuchBucket') throw client.failure(request, answer)
      return undefined
    },

    async put(key, bytes, condition) {
      const headers = { 'content-type': 'application/octet-stream', ...conditionHeaders(condition) }
      // An object that is not there has no etag that could match.
      const expected = condition === undefined ? [] : condition.kind === 'match' ? [404, 412] : [412]
      const request = { method: 'PUT', key, headers, body: bytes, expected } as const
      const answer = await client.send(request)
      if (answer.status === 404 && xmlText(textOf(answer), 'Code') === 'NoSuchBucket') {
        throw client.failure(request, answer)
      }
      return answer.status >= 400 ? undefined : etagOf(client, answer)
    },

    async beginUpload(key) {
      const began = await client.send({ method: 'POST', key, query: { uploads: '' } })
      const uploadId = xmlText(textOf(began), 'UploadId')
      if (uploadId === undefined) throw unexpected(client, 'no UploadId')
      const etags: string[] = []
      return {
        async uploadPart(number, bytes) {
          const query = { partNumber: String(number), uploadId }
          const answer = await client.send({ method: 'PUT', key, query, body: bytes })
          etags[number - 1] = etagOf(client, answer)
        },
        async complete() {
          const parts = etags.map(
            (etag, at) =>
              `<Part><PartNumber>${at + 1}</PartNumber><ETag>${etag.replaceAll('"', '&quot;')}</ETag></Part>`,
          )
          const body = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`
          const request = { method: 'POST', key, query: { uploadId }, body } as const
          const answer = await client.send(request)
          // The answer begins before the outcome is known: an error may come as its content.
          if (/<Error>/.test(textOf(answer))) throw client.failure(request, answer)
        },
        async abort() {
          await client.send({ method: 'DELETE', key, query: { uploadId }, expected: [404] })
        },
      }
    },

    async list({ prefix, startAfter, cursor, limit }) {
      const answer = await client.send({
        method: 'GET',
        key: '',
        query: {
          'list-type': '2',
          prefix,
          ...(startAfter === undefined ? {} : { 'start-after': startAfter }),
          ...(cursor === undefined ? {} : { 'continuation-token': cursor }),
          ...(limit === undefined ? {} : { 'max-keys': String(limit) }),
        },
      })
      const xml = textOf(answer)
      const objects = xmlElements(xml, 'Contents').map((content) => ({
        key: xmlText(content, 'Key') ?? '',
        size: Number(xmlText(content, 'Size')),
        uploaded: Date.parse(xmlText(content, 'LastModified') ?? ''),
        etag: xmlText(content, 'ETag') ?? '',
      }))
      const isPart = ({ key, size, uploaded, etag }: ListedObject): boolean =>
        key === '' || etag === '' || Number.isNaN(size) || Number.isNaN(uploaded)
      if (objects.some(isPart)) {
        throw unexpected(client, 'a listing without key, size, time or etag of an object')
      }
      const next = xmlText(xml, 'IsTruncated') === 'true' ? xmlText(xml, 'NextContinuationToken') : undefined
      return next === undefined ? { objects } : { objects, cursor: next }
    },

    async delete(keys) {
      const queue = [...keys]
      const worker = async (): Promise<void> => {
        for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
          await client.send({ method: 'DELETE', key, expected: [404] })
        }
      }
      await Promise.all(Array.from({ length: Math.min(CONCURRENCY, keys.length) }, worker))
    },
  }
}

function conditionHeaders(condition: PutCondition | undefined): Record<string, string> {
  if (condition === undefined) return {}
  return condition.kind === 'absent' ? { 'if-none-match': '*' } : { 'if-match': condition.etag }
}

function etagOf(client: S3Client, answer: S3Answer): string {
  const etag = answer.headers.get('etag')
  if (etag !== null) return etag
  throw unexpected(client, 'no ETag')
}

function unexpected(client: S3Client, what: string): GitError {
  return new GitError('STORAGE', `${client.location} answered with ${what}; expected what S3 answers`)
}
