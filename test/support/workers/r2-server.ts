import { randomUUID } from 'node:crypto'
import { mkdir, open, rm, type FileHandle } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

/** A bucket in a process of its own, as workerd reaches one: what the binding of a Worker asks comes as HTTP. */
export interface R2Server {
  /** Host and port, for the configuration of workerd. */
  readonly address: string
  /** Keys and sizes of what is stored. */
  list(): readonly { readonly key: string; readonly size: number }[]
  close(): Promise<void>
}

interface Stored {
  readonly key: string
  readonly size: number
  readonly etag: string
  readonly uploaded: number
  readonly pieces: readonly string[]
}

interface Asked {
  readonly method: string
  readonly object?: string
  readonly objects?: readonly string[]
  readonly range?: { readonly offset?: string | number; readonly length?: string | number }
  readonly onlyIf?: { readonly etagMatches?: readonly Etag[]; readonly etagDoesNotMatch?: readonly Etag[] }
  readonly uploadId?: string
  readonly partNumber?: number
  readonly parts?: readonly { readonly etag: string; readonly part: number }[]
  readonly prefix?: string
  readonly startAfter?: string
  readonly cursor?: string
  readonly limit?: number
}

interface Etag {
  readonly type: string
  readonly value?: string
}

interface Upload {
  readonly parts: Map<number, { readonly etag: string; readonly path: string; readonly size: number }>
}

/** What is answered: an error, what is said in JSON, or an object that is sent. */
interface Reply {
  readonly status?: number
  readonly error?: string
  readonly head?: object
  readonly found?: Stored
}

/** What is sent back at a time. */
const PIECE = 1 << 20

/** Starts a bucket that keeps its objects in a folder. All but the last part of an upload have to be of one size, as for R2. */
export async function startR2Server(folder: string): Promise<R2Server> {
  await mkdir(folder, { recursive: true })
  const objects = new Map<string, Stored>()
  const uploads = new Map<string, Upload>()

  const store = async (body: AsyncIterable<Uint8Array>): Promise<{ path: string; size: number }> => {
    const path = join(folder, randomUUID())
    const file = await open(path, 'w')
    let size = 0
    try {
      for await (const chunk of body) {
        await file.write(chunk)
        size += chunk.length
      }
    } finally {
      await file.close()
    }
    return { path, size }
  }
  const add = (key: string, size: number, pieces: readonly string[]): Stored => {
    const stored = { key, size, pieces, etag: randomUUID(), uploaded: Date.now() }
    objects.set(key, stored)
    return stored
  }

  const complete = (key: string, asked: Asked): Reply => {
    const upload = uploads.get(asked.uploadId ?? '')
    if (upload === undefined) return refused(404, 10_024)
    const parts = (asked.parts ?? []).map(({ part }) => upload.parts.get(part))
    const sizes = parts.map((part) => part?.size ?? -1)
    const isUneven = sizes.some((size, at) => size < 0 || (at < sizes.length - 1 && size !== sizes[0]))
    if (isUneven) return refused(400, 10_048)
    uploads.delete(asked.uploadId ?? '')
    const size = sizes.reduce((sum, each) => sum + each, 0)
    const pieces = parts.map((part) => part?.path ?? '')
    return { head: describe(add(key, size, pieces)) }
  }

  const perform = async (asked: Asked, body: AsyncIterable<Uint8Array>): Promise<Reply> => {
    const key = asked.object ?? ''
    const found = objects.get(key)
    switch (asked.method) {
      case 'get':
        if (found === undefined) return refused(404, 10_007)
        return isMet(asked, found) ? { found } : { ...refused(412, 10_031), head: describe(found) }
      case 'put': {
        const { path, size } = await store(body)
        if (!isMet(asked, objects.get(key))) return refused(412, 10_031)
        return { head: describe(add(key, size, [path])) }
      }
      case 'createMultipartUpload': {
        const uploadId = randomUUID()
        uploads.set(uploadId, { parts: new Map() })
        return { head: { uploadId } }
      }
      case 'uploadPart': {
        const stored = await store(body)
        const upload = uploads.get(asked.uploadId ?? '')
        if (upload === undefined) return refused(404, 10_024)
        const etag = randomUUID()
        upload.parts.set(asked.partNumber ?? 0, { ...stored, etag })
        return { head: { etag } }
      }
      case 'completeMultipartUpload':
        return complete(key, asked)
      case 'abortMultipartUpload':
        uploads.delete(asked.uploadId ?? '')
        return {}
      case 'delete':
        for (const gone of asked.objects ?? [key]) {
          for (const path of objects.get(gone)?.pieces ?? []) await rm(path, { force: true })
          objects.delete(gone)
        }
        return {}
      case 'list': {
        const { prefix = '', startAfter = '', cursor = startAfter, limit = 1000 } = asked
        const matching = [...objects.values()].filter((one) => one.key.startsWith(prefix) && one.key > cursor)
        const page = matching.sort((left, right) => (left.key < right.key ? -1 : 1)).slice(0, limit)
        const truncated = matching.length > page.length
        const next = truncated ? { cursor: page.at(-1)?.key } : {}
        const listed = page.map((one) => describe(one))
        return { head: { objects: listed, truncated, ...next, delimitedPrefixes: [] } }
      }
      default:
        return refused(500, 10_001)
    }
  }

  const answer = async (message: IncomingMessage, out: ServerResponse): Promise<void> => {
    const { asked, body } = await readRequest(message)
    const reply = await perform(asked, body)
    if (reply.found === undefined) sendHead(out, reply)
    else await sendObject(out, reply.found, asked)
  }

  const server = createServer((message, out) => {
    answer(message, out).catch((error: unknown) => {
      out.destroy(error instanceof Error ? error : undefined)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    list: () => [...objects.values()].map(({ key, size }) => ({ key, size })),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => {
          resolve()
        })
      }),
  }
}

async function readRequest(
  message: IncomingMessage,
): Promise<{ readonly asked: Asked; readonly body: AsyncIterable<Uint8Array> }> {
  const inHeader = message.headers['cf-r2-request']
  if (typeof inHeader === 'string') return { asked: JSON.parse(inHeader) as Asked, body: message }
  const length = Number(message.headers['cf-r2-metadata-size'])
  const source = message[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>
  let head = Buffer.alloc(0)
  while (head.length < length) {
    const { done, value } = await source.next()
    if (done === true) throw new Error('the request ended in its head')
    head = Buffer.concat([head, value])
  }
  async function* rest(): AsyncGenerator<Uint8Array> {
    yield head.subarray(length)
    for (;;) {
      const { done, value } = await source.next()
      if (done === true) return
      yield value
    }
  }
  return { asked: JSON.parse(head.subarray(0, length).toString()) as Asked, body: rest() }
}

function isMet({ onlyIf }: Asked, found: Stored | undefined): boolean {
  const names = (etags: readonly Etag[] | undefined): boolean =>
    etags?.some(({ type, value }) => found !== undefined && (type === 'wildcard' || value === found.etag)) ===
    true
  if (onlyIf?.etagMatches !== undefined && !names(onlyIf.etagMatches)) return false
  return !names(onlyIf?.etagDoesNotMatch)
}

function describe({ key, size, etag, uploaded }: Stored, range?: object): object {
  const about = { version: etag, httpFields: {}, customFields: [], checksums: {} }
  return { name: key, size, etag, uploaded, ...about, ...(range === undefined ? {} : { range }) }
}

function refused(status: number, code: number): Reply {
  const error = JSON.stringify({ version: 1, v4code: code, message: `refused with ${code}` })
  return { status, error }
}

function sendHead(out: ServerResponse, { status = 200, error, head }: Reply): void {
  const text = head === undefined ? '' : JSON.stringify(head)
  const headers = {
    'content-length': text.length,
    ...(error === undefined ? {} : { 'cf-r2-error': error }),
    ...(head === undefined ? {} : { 'cf-r2-metadata-size': String(text.length) }),
  }
  out.writeHead(status, headers).end(text)
}

async function sendObject(out: ServerResponse, found: Stored, { range }: Asked): Promise<void> {
  const offset = Number(range?.offset ?? 0)
  const length = Math.min(Number(range?.length ?? found.size), found.size - offset)
  const text = JSON.stringify(describe(found, range === undefined ? undefined : { offset, length }))
  out.writeHead(200, { 'cf-r2-metadata-size': String(text.length), 'content-length': text.length + length })
  out.write(text)
  let at = 0
  for (const path of found.pieces) {
    const file = await open(path)
    const { size } = await file.stat()
    const from = Math.max(offset, at) - at
    const to = Math.min(offset + length, at + size) - at
    await sendFile(out, file, from, to)
    await file.close()
    at += size
  }
  out.end()
}

async function sendFile(out: ServerResponse, file: FileHandle, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += PIECE) {
    const { buffer } = await file.read(Buffer.alloc(Math.min(PIECE, to - at)), 0, null, at)
    if (!out.write(buffer)) {
      await new Promise<void>((resolve) => out.once('drain', resolve).once('close', resolve))
    }
    if (out.destroyed) return
  }
}
