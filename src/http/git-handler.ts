import { GitError } from '../errors.ts'
import { concatBytes } from '../bytes/concat.ts'
import { encodeUtf8 } from '../bytes/text.ts'
import {
  advertise,
  parseGitProtocolHeader,
  receivePack,
  uploadPack,
  type ProtocolVersion,
  type ServiceName,
} from '../protocol/service.ts'
import { parseGitRoute, type GitRoute } from './git-route.ts'
import { parseContentEncoding, readRequestBody } from './request-body.ts'
import type { Resolution, ResolveRepository } from './resolution.ts'
import { createResponseBody } from './response-body.ts'
import type { RepositoryFile } from './repository-file.ts'
import {
  CACHE_FOREVER,
  NO_CACHE,
  errorResponse,
  textResponse,
  unauthorizedResponse,
} from './text-response.ts'

/** The protocol behind the handler: what each service answers, as bytes. */
export interface GitServices {
  readonly advertise: (...given: Parameters<typeof advertise>) => AsyncIterable<Uint8Array>
  readonly uploadPack: (...given: Parameters<typeof uploadPack>) => AsyncIterable<Uint8Array>
  readonly receivePack: (...given: Parameters<typeof receivePack>) => AsyncIterable<Uint8Array>
}

export interface GitHandlerOptions {
  /** Finds repositories and decides who may do what. */
  readonly resolve: ResolveRepository
  /**
   * The path below which repositories are, such as `/git`, where the whole address arrives and the handler answers for a part of it only.
   * Default: all of the site.
   */
  readonly prefix?: string
  /** Most bytes that a gzip request body may inflate to. Default 64 MiB; Git compresses only small requests. */
  readonly maxInflatedBytes?: number
  /**
   * Told of every failure of the server: what became a 5xx answer, what broke an answer off after its first byte, and what
   * the client was told in the protocol as no more than an internal error. Default: nothing.
   */
  readonly onError?: (error: unknown, request: Request) => void
  /** Default: the engine's own. */
  readonly services?: GitServices
}

const DUMB_MESSAGE =
  'this server speaks the smart HTTP protocol only; use a Git client of version 1.6.6 or later'

type ServiceRoute = Extract<GitRoute, { kind: 'advertisement' | 'service' }>
type Found = Extract<Resolution, { kind: 'found' }>

/**
 * Creates a handler for Git over HTTP: cloning, fetching and pushing with any Git client.
 *
 * The handler never rejects: every failure becomes an answer. Bodies stream both ways, each piece asked for when the
 * other side has room. A client that goes away (`request.signal`, or a cancelled answer) stops the work.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function createGitHandler(options: GitHandlerOptions): (request: Request) => Promise<Response> {
  const maxInflatedBytes = options.maxInflatedBytes ?? 64 * 1024 * 1024
  if (!(maxInflatedBytes > 0)) {
    throw new GitError('INVALID_ARGUMENT', `maxInflatedBytes must be above 0, but is ${maxInflatedBytes}`)
  }
  const { resolve, onError } = options
  const prefix = parsePrefix(options.prefix ?? '')
  const services = options.services ?? { advertise, uploadPack, receivePack }

  async function handle(request: Request): Promise<Response> {
    const url = new URL(request.url)
    const pathname = pathBelow(prefix, url.pathname)
    if (pathname === undefined) return textResponse(404, `not found: repositories are below ${prefix}/`)
    const route = parseGitRoute(request.method, pathname, url.searchParams)
    if (route.kind === 'refused') return textResponse(route.status, route.message)
    if (route.kind === 'wrong-method') {
      return textResponse(405, `${request.method} is not allowed here`, { Allow: route.allow })
    }
    const service = route.kind === 'file' ? 'git-upload-pack' : route.service
    const resolution = await resolve(route.path, request, service)
    switch (resolution.kind) {
      case 'not-found':
        return textResponse(404, 'repository not found')
      case 'unauthorized':
        return unauthorizedResponse(resolution.realm)
      case 'forbidden':
        return textResponse(403, resolution.message)
      case 'found':
        return route.kind === 'file'
          ? serveFile(request, route.file, resolution)
          : serve(request, route, resolution)
    }
  }

  async function serveFile(request: Request, file: RepositoryFile, found: Found): Promise<Response> {
    const work = beginWork(request, found)
    try {
      const { repository, access, options } = found
      const answer = await access.files?.(repository, file, options?.uploadPack ?? {})
      if (answer === undefined) {
        work.end()
        return access.files === undefined ? textResponse(403, DUMB_MESSAGE) : textResponse(404, 'not found')
      }
      const body = await createResponseBody(answer.bytes, {
        onCancel: work.abort,
        onError: (error) => onError?.(error, request),
        onEnd: work.end,
      })
      const headers = {
        ...(answer.isImmutable ? CACHE_FOREVER : NO_CACHE),
        'Content-Type': answer.type,
        ...(answer.size === undefined ? {} : { 'Content-Length': String(answer.size) }),
      }
      if (request.method !== 'HEAD') return new Response(body, { headers })
      await body.cancel()
      return new Response(null, { headers })
    } catch (error) {
      work.end()
      throw error
    }
  }

  async function serve(request: Request, route: ServiceRoute, found: Found): Promise<Response> {
    const work = beginWork(request, found)
    try {
      const refusal = refuse(request, route, found)
      if (refusal !== undefined) {
        work.end()
        return refusal
      }
      const body = await createResponseBody(answer(request, route, found, work.signal), {
        onCancel: work.abort,
        onError: (error) => onError?.(error, request),
        onEnd: work.end,
      })
      const type = route.kind === 'advertisement' ? 'advertisement' : 'result'
      const headers = { ...NO_CACHE, 'Content-Type': `application/x-${route.service}-${type}` }
      if (request.method !== 'HEAD') return new Response(body, { headers })
      await body.cancel()
      return new Response(null, { headers })
    } catch (error) {
      work.end()
      throw error
    }
  }

  /** What the service answers. It begins, and throws what it throws, when the first piece is asked for. */
  function answer(
    request: Request,
    route: ServiceRoute,
    found: Found,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    const { repository, options = { uploadPack: {}, receivePack: {} } } = found
    const version = parseGitProtocolHeader(request.headers.get('Git-Protocol'))
    if (route.kind === 'advertisement') {
      const refs = services.advertise(repository, route.service, version, options)
      return needsBanner(route.service, version) ? withBanner(route.service, refs) : refs
    }
    const encoding = parseContentEncoding(request.headers.get('Content-Encoding')) ?? 'identity'
    const body = readRequestBody(request.body, encoding, maxInflatedBytes)
    const onFailure = (error: unknown): void => onError?.(error, request)
    if (route.service === 'git-upload-pack') {
      const context = { version, options: options.uploadPack, signal, onFailure }
      return services.uploadPack(repository, body, context)
    }
    return services.receivePack(repository, body, { options: options.receivePack, signal, onFailure })
  }

  return async (request) => {
    let response: Response
    try {
      return await handle(request)
    } catch (error) {
      response = errorResponse(error)
      if (response.status >= 500) onError?.(error, request)
    }
    return response
  }
}

/** @returns the prefix without a slash at its end, as it stands in an address. */
function parsePrefix(prefix: string): string {
  if (prefix === '' || prefix.startsWith('/')) {
    return new URL(`http://localhost${prefix}`).pathname.replace(/\/+$/, '')
  }
  throw new GitError('INVALID_ARGUMENT', `prefix must begin with a slash, but is '${prefix.slice(0, 100)}'`)
}

function pathBelow(prefix: string, pathname: string): string | undefined {
  return pathname.startsWith(`${prefix}/`) ? pathname.slice(prefix.length) : undefined
}

/** What the repository is there for, but this request may not have. */
function refuse(request: Request, route: ServiceRoute, found: Found): Response | undefined {
  const allowed = route.service === 'git-upload-pack' ? found.access.upload : found.access.receive
  if (!allowed) return textResponse(403, `service not enabled: '${route.service}'`)
  if (route.kind === 'advertisement') return undefined

  const expected = `application/x-${route.service}-request`
  const type = request.headers.get('Content-Type') ?? ''
  if (type.split(';', 1)[0]?.trim().toLowerCase() !== expected) {
    return textResponse(415, `expected a body of type ${expected}, but received '${type.slice(0, 80)}'`)
  }
  if (parseContentEncoding(request.headers.get('Content-Encoding')) === undefined) {
    return textResponse(415, 'expected a body that is plain or gzip', { 'Accept-Encoding': 'gzip, identity' })
  }
  return undefined
}

/** Ties the life of one request together: its abort signal, and the release of its repository. */
function beginWork(
  request: Request,
  found: Found,
): { readonly signal: AbortSignal; readonly abort: () => void; readonly end: () => void } {
  const controller = new AbortController()
  const abort = (): void => {
    controller.abort(new GitError('ABORTED', 'the client went away'))
  }
  let ended = false
  const end = (): void => {
    if (ended) return
    ended = true
    request.signal.removeEventListener('abort', abort)
    found.release?.()
  }
  if (request.signal.aborted) abort()
  else request.signal.addEventListener('abort', abort, { once: true })
  return { signal: controller.signal, abort, end }
}

/** Only version 2 goes without the banner, and a push has no version 2. */
function needsBanner(service: ServiceName, version: ProtocolVersion): boolean {
  return version !== 2 || service === 'git-receive-pack'
}

/**
 * Puts the `# service=` line and the flush behind it (gitprotocol-http, "Smart Server Response") in front of the
 * first piece, and not before there is one: an advertisement that fails at once is to become an error answer.
 */
async function* withBanner(
  service: ServiceName,
  refs: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const line = `# service=${service}\n`
  let banner: Uint8Array | undefined = encodeUtf8(
    (line.length + 4).toString(16).padStart(4, '0') + line + '0000',
  )
  for await (const piece of refs) {
    yield banner === undefined ? piece : concatBytes([banner, piece])
    banner = undefined
  }
}
