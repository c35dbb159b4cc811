import { AwsV4Signer } from 'aws4fetch'

/** What is used of the binding beyond what the adapter for R2 needs. */
interface Bucket {
  get(key: string, options: object): Promise<(Stored & { readonly body?: ReadableStream }) | null>
  put(key: string, value: ArrayBuffer, options: object): Promise<Stored | null>
  delete(key: string): Promise<void>
  createMultipartUpload(key: string): Promise<{ readonly uploadId: string }>
  resumeMultipartUpload(key: string, uploadId: string): Upload
  list(options: object): Promise<{
    readonly objects: readonly (Stored & { readonly key: string; readonly uploaded: Date })[]
    readonly truncated: boolean
    readonly cursor?: string
  }>
}

interface Stored {
  readonly httpEtag: string
  readonly size: number
}

interface Upload {
  uploadPart(number: number, bytes: ArrayBuffer): Promise<{ readonly etag: string }>
  complete(parts: readonly { partNumber: number; etag: string }[]): Promise<Stored>
  abort(): Promise<void>
}

interface Environment {
  readonly BUCKET: Bucket
  readonly BUCKET_NAME: string
  readonly ACCESS_KEY: string
  readonly SECRET_KEY: string
}

/** As much of the S3 protocol as the adapter speaks, in front of R2 inside workerd. Signatures are checked. */
export default {
  async fetch(request: Request, env: Environment): Promise<Response> {
    try {
      return await answer(request, env)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      const code = /\((\d+)\)$/.exec(message)?.[1]
      if (code === '10024') return failure(404, 'NoSuchUpload', message)
      return failure(code === undefined ? 500 : 400, 'R2', message)
    }
  },
}

async function answer(request: Request, env: Environment): Promise<Response> {
  const url = new URL(request.url)
  const [, bucket = '', ...path] = url.pathname.split('/')
  if (!(await isSigned(request, env))) return failure(403, 'SignatureDoesNotMatch', 'wrong signature')
  if (bucket !== env.BUCKET_NAME) return failure(404, 'NoSuchBucket', 'no such bucket')
  const key = path.join('/')
  const query = url.searchParams
  if (key === '') return list(env.BUCKET, query)
  const uploadId = query.get('uploadId')
  switch (request.method) {
    case 'GET':
      return get(env.BUCKET, key, request.headers)
    case 'PUT':
      return uploadId === null
        ? put(env.BUCKET, key, request)
        : uploadPart(env.BUCKET.resumeMultipartUpload(key, uploadId), query, request)
    case 'POST':
      return uploadId === null
        ? begin(env.BUCKET, key)
        : complete(env.BUCKET.resumeMultipartUpload(key, uploadId), await request.text())
    case 'DELETE':
      await (uploadId === null
        ? env.BUCKET.delete(key)
        : env.BUCKET.resumeMultipartUpload(key, uploadId).abort())
      return new Response(null, { status: 204 })
    default:
      return failure(405, 'MethodNotAllowed', request.method)
  }
}

async function isSigned(request: Request, { ACCESS_KEY, SECRET_KEY }: Environment): Promise<boolean> {
  const given = request.headers.get('authorization') ?? ''
  const [, accessKeyId, , region, names = ''] =
    /Credential=([^/]+)\/([^/]+)\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+)/.exec(given) ?? []
  if (accessKeyId !== ACCESS_KEY || region === undefined) return false
  const headers = new Headers()
  for (const name of names.split(';')) {
    const value = request.headers.get(name)
    if (name !== 'host' && value !== null) headers.set(name, value)
  }
  const signer = new AwsV4Signer({
    method: request.method,
    url: request.url,
    headers,
    accessKeyId: ACCESS_KEY,
    secretAccessKey: SECRET_KEY,
    service: 's3',
    region,
    datetime: request.headers.get('x-amz-date') ?? '',
  })
  return (await signer.authHeader()) === given
}

async function get(bucket: Bucket, key: string, headers: Headers): Promise<Response> {
  const unless = headers.get('if-none-match')
  const range = /^bytes=(\d+)-(\d+)$/.exec(headers.get('range') ?? '')
  const object = await bucket.get(key, {
    ...(unless === null ? {} : { onlyIf: { etagDoesNotMatch: bare(unless) } }),
    ...(range === null
      ? {}
      : { range: { offset: Number(range[1]), length: Number(range[2]) - Number(range[1]) + 1 } }),
  })
  if (object === null) return failure(404, 'NoSuchKey', key)
  const etag = { etag: object.httpEtag }
  if (object.body === undefined) return new Response(null, { status: 304, headers: etag })
  return new Response(object.body, { status: range === null ? 200 : 206, headers: etag })
}

async function put(bucket: Bucket, key: string, request: Request): Promise<Response> {
  const match = request.headers.get('if-match')
  const isNew = request.headers.get('if-none-match') === '*'
  const onlyIf = match !== null ? { etagMatches: bare(match) } : isNew ? { etagDoesNotMatch: '*' } : undefined
  const options = onlyIf === undefined ? {} : { onlyIf }
  const stored = await bucket.put(key, await request.arrayBuffer(), options)
  if (stored === null) return failure(412, 'PreconditionFailed', 'the condition does not hold')
  return new Response(null, { headers: { etag: stored.httpEtag } })
}

async function begin(bucket: Bucket, key: string): Promise<Response> {
  const { uploadId } = await bucket.createMultipartUpload(key)
  return xml(
    `<InitiateMultipartUploadResult><UploadId>${escape(uploadId)}</UploadId></InitiateMultipartUploadResult>`,
  )
}

async function uploadPart(upload: Upload, query: URLSearchParams, request: Request): Promise<Response> {
  const part = await upload.uploadPart(Number(query.get('partNumber')), await request.arrayBuffer())
  return new Response(null, { headers: { etag: `"${part.etag}"` } })
}

async function complete(upload: Upload, body: string): Promise<Response> {
  const parts = [...body.matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>(?:&quot;)?([^<&]+)/g)].map(
    ([, number, etag = '']) => ({ partNumber: Number(number), etag }),
  )
  const { httpEtag } = await upload.complete(parts)
  return xml(
    `<CompleteMultipartUploadResult><ETag>${escape(httpEtag)}</ETag></CompleteMultipartUploadResult>`,
  )
}

async function list(bucket: Bucket, query: URLSearchParams): Promise<Response> {
  const startAfter = query.get('start-after')
  const cursor = query.get('continuation-token')
  const page = await bucket.list({
    prefix: query.get('prefix') ?? '',
    limit: Math.min(1000, Number(query.get('max-keys') ?? 1000)),
    ...(startAfter === null ? {} : { startAfter }),
    ...(cursor === null ? {} : { cursor }),
  })
  const contents = page.objects.map(
    ({ key, size, uploaded, httpEtag }) =>
      `<Contents><Key>${escape(key)}</Key><LastModified>${uploaded.toISOString()}</LastModified>` +
      `<ETag>${escape(httpEtag)}</ETag><Size>${size}</Size></Contents>`,
  )
  const next =
    page.cursor === undefined ? '' : `<NextContinuationToken>${escape(page.cursor)}</NextContinuationToken>`
  return xml(
    `<ListBucketResult><IsTruncated>${page.truncated}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`,
  )
}

function bare(etag: string): string {
  return etag.replaceAll('"', '')
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

function xml(content: string): Response {
  return new Response(`<?xml version="1.0" encoding="UTF-8"?>${content}`)
}

function failure(status: number, code: string, message: string): Response {
  const body = `<Error><Code>${code}</Code><Message>${escape(message)}</Message></Error>`
  return new Response(body, { status })
}
