import { open, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { S3Server } from './s3-server.ts'

/** A server that counts what it is asked. */
export interface CountingS3Server extends S3Server {
  /** Requests so far, by method. */
  readonly requests: ReadonlyMap<string, number>
}

interface StoredObject {
  readonly etag: string
  readonly size: number
  /** The files that it is made of. */
  readonly parts: readonly Part[]
}

interface Part {
  readonly path: string
  readonly size: number
}

/** What is answered to a request. */
interface Answer {
  readonly status: number
  readonly etag?: string
  readonly body?: Uint8Array | string
}

/**
 * Starts a server for objects of any size, in this process: as much of the S3 protocol as the adapter speaks, over files in a folder.
 * Signatures are not looked at, and a list is one page.
 */
export async function startDiskS3Server(folder: string): Promise<CountingS3Server> {
  const requests = new Map<string, number>()
  const bucket = new DiskBucket(folder)
  const server = createServer((request, response) => {
    const method = request.method ?? ''
    requests.set(method, (requests.get(method) ?? 0) + 1)
    void answerTo(bucket, request, response)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    bucket: 'git',
    accessKeyId: 'test-key',
    secretAccessKey: 'test-secret',
    requests,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function answerTo(
  bucket: DiskBucket,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status, etag, body } = await handle(bucket, request).catch((error: unknown): Answer => ({
    status: 500,
    body: `<Error><Message>${String(error)}</Message></Error>`,
  }))
  response.writeHead(status, etag === undefined ? {} : { etag }).end(body)
}

async function handle(bucket: DiskBucket, request: IncomingMessage): Promise<Answer> {
  const { searchParams: query, pathname } = new URL(request.url ?? '', 'http://localhost')
  const key = pathname.split('/').slice(2).join('/')
  const uploadId = query.get('uploadId') ?? ''
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  const body = Buffer.concat(pieces)
  switch (request.method) {
    case 'GET':
      return key === '' ? bucket.list(query.get('prefix') ?? '') : bucket.get(key, request.headers)
    case 'PUT':
      return uploadId === ''
        ? bucket.put(key, body, request.headers)
        : bucket.putPart(uploadId, Number(query.get('partNumber')), body)
    case 'POST':
      return uploadId === '' ? bucket.beginUpload() : bucket.complete(key, uploadId)
    case 'DELETE':
      return bucket.delete(key, uploadId)
    default:
      return { status: 405 }
  }
}

type Headers = IncomingMessage['headers']

class DiskBucket {
  readonly #folder: string
  readonly #objects = new Map<string, StoredObject>()
  readonly #uploads = new Map<string, Part[]>()
  #serial = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  async get(key: string, headers: Headers): Promise<Answer> {
    const object = this.#objects.get(key)
    if (object === undefined) return { status: 404, body: '<Error><Code>NoSuchKey</Code></Error>' }
    const { etag } = object
    if (headers['if-none-match'] === etag) return { status: 304, etag }
    const [, first = '0', last = String(object.size - 1)] =
      /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []
    const body = await readParts(object.parts, Number(first), Number(last) + 1)
    return { status: headers.range === undefined ? 200 : 206, etag, body }
  }

  async put(key: string, body: Uint8Array, headers: Headers): Promise<Answer> {
    const part = await this.#write(body)
    const found = this.#objects.get(key)
    const isRefused =
      (headers['if-none-match'] === '*' && found !== undefined) ||
      (headers['if-match'] !== undefined && headers['if-match'] !== found?.etag)
    return isRefused ? { status: 412 } : this.#store(key, [part])
  }

  beginUpload(): Answer {
    const id = String(++this.#serial)
    this.#uploads.set(id, [])
    return { status: 200, body: `<UploadId>${id}</UploadId>` }
  }

  async putPart(uploadId: string, number: number, body: Uint8Array): Promise<Answer> {
    const parts = this.#uploads.get(uploadId)
    if (parts === undefined) return { status: 404 }
    parts[number - 1] = await this.#write(body)
    return { status: 200, etag: `"part-${number}"` }
  }

  complete(key: string, uploadId: string): Answer {
    const parts = this.#uploads.get(uploadId)
    this.#uploads.delete(uploadId)
    return parts === undefined ? { status: 404 } : this.#store(key, parts)
  }

  list(prefix: string): Answer {
    const contents = [...this.#objects]
      .filter(([key]) => key.startsWith(prefix))
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(
        ([key, { size }]) =>
          `<Contents><Key>${key}</Key><LastModified>${new Date().toISOString()}</LastModified><ETag>&quot;${size}&quot;</ETag><Size>${size}</Size></Contents>`,
      )
    return { status: 200, body: contents.join('') }
  }

  async delete(key: string, uploadId: string): Promise<Answer> {
    const parts = uploadId === '' ? this.#objects.get(key)?.parts : this.#uploads.get(uploadId)
    if (uploadId === '') this.#objects.delete(key)
    else this.#uploads.delete(uploadId)
    await Promise.all((parts ?? []).map(({ path }) => rm(path)))
    return { status: 204 }
  }

  #store(key: string, parts: readonly Part[]): Answer {
    const etag = `"${++this.#serial}"`
    this.#objects.set(key, { etag, size: parts.reduce((sum, { size }) => sum + size, 0), parts })
    return { status: 200, etag }
  }

  async #write(bytes: Uint8Array): Promise<Part> {
    const path = join(this.#folder, String(++this.#serial))
    await writeFile(path, bytes)
    return { path, size: bytes.length }
  }
}

/** Bytes `[from, to)` of files that lie one behind the other. */
async function readParts(parts: readonly Part[], from: number, to: number): Promise<Uint8Array> {
  const bytes = Buffer.alloc(to - from)
  let start = 0
  for (const { path, size } of parts) {
    const begin = Math.max(from, start)
    const end = Math.min(to, start + size)
    if (begin < end) {
      const file = await open(path)
      await file.read(bytes, begin - from, end - begin, begin - start)
      await file.close()
    }
    start += size
  }
  return bytes
}
