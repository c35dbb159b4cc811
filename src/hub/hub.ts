import type { Codecs } from '../codec/ports.ts'
import { GitError } from '../errors.ts'
import { createMemoryBudget, type MemoryBudget } from '../odb/memory-budget.ts'
import type { IndexerThreads } from '../pack/indexer/indexer-threads.ts'
import type { Storage } from '../storage/storage.ts'
import type { NamespaceBinding } from './binding/binding-types.ts'
import { createNamespaceBinding } from './binding/namespace-binding.ts'
import { authenticateByTokens, type ApiToken, type AuthenticateApi } from './rest/api-access.ts'
import { createEventDelivery, type DeliverEventsOptions } from './events/deliver-events.ts'
import { NO_DELIVERY } from './events/event-delivery.ts'
import { NO_EVENTS } from './events/event-writer.ts'
import { createEventWriter } from './events/write-events.ts'
import { createGitEndpoint, type GitEndpointOptions } from './git/git-endpoint.ts'
import type { HubContext } from './hub-context.ts'
import type { HubLimits } from './hub-limits.ts'
import type { ImportOptions } from './import/import-options.ts'
import type { Registry } from './registry/registry.ts'
import { createOpenRepositories } from './repositories/open-repositories.ts'
import { resumeWork } from './repositories/resume-work.ts'
import { createAccountHandler } from './rest/account-handler.ts'
import { errorResponse } from './rest/envelope.ts'
import { createOpenApiDocument } from './rest/open-api.ts'
import { createRestHandler } from './rest/rest-handler.ts'
import { routes } from './rest/routes.ts'

export interface HubOptions {
  /** Where repositories are kept, under keys that the hub makes of their ids. */
  readonly storage: Storage
  /** What is known about namespaces, repositories and tokens. */
  readonly registry: Registry
  /** Where clients reach the hub, e.g. `https://git.example.com`, or `https://example.com/hub` where it is mounted below a path. */
  readonly origin: string
  /** The account in the paths of the REST interface: letters, digits, `_` and `-`. */
  readonly account: string
  /** Tokens for the REST interface, or what decides about its requests. Without either nobody gets in. */
  readonly apiTokens?: readonly (string | ApiToken)[]
  readonly authenticate?: AuthenticateApi
  /** From `packstone/codec/node` or `packstone/codec/portable`. */
  readonly codecs: Codecs
  /** What names objects that strangers send: codecs made with `collisionDetection`. Default: `codecs`. */
  readonly receiveCodecs?: Codecs
  /** Memory that all repositories share. Default: 48 MiB. */
  readonly memoryBudget?: MemoryBudget
  /** Threads that index large packs that are pushed and imported: `packstone/threads` makes them, with codecs like `receiveCodecs`. */
  readonly threads?: IndexerThreads
  /** How many repositories stay open between requests. Default 64. */
  readonly openRepositories?: number
  /** What is allowed. Default: everything; `ARTIFACTS_LIMITS` are those of Cloudflare Artifacts. */
  readonly limits?: HubLimits
  /** How Git clients are served. */
  readonly git?: GitEndpointOptions
  /** How remotes are reached that repositories are imported from. Default: nothing is imported. */
  readonly imports?: ImportOptions
  /** Where events go. Default: nowhere, and none are stored. */
  readonly events?: DeliverEventsOptions
  /** Milliseconds since the epoch. Default: the clock of the machine. */
  readonly clock?: () => number
  /** Bytes that nobody can guess. Default: `crypto.getRandomValues`. */
  readonly random?: (count: number) => Uint8Array
  /** Keeps the host awake for work that goes on after an answer, such as `ctx.waitUntil` of a Worker. */
  readonly waitUntil?: (work: Promise<unknown>) => void
  /** Is told of failures of the server. Default: nothing. */
  readonly onError?: (error: unknown) => void
}

/** A service: namespaces, repositories and tokens, over REST and Git. */
export interface Hub {
  /** Answers a request: REST below `/client/v4/…`, Git below `/git/…`, and the description of the REST interface at `/openapi.json`. */
  readonly fetch: (request: Request) => Promise<Response>
  /**
   * The repositories of a namespace as an object with methods, like the `Artifacts` binding of Cloudflare. Whoever has it may do
   * everything in the namespace, which need not exist yet.
   *
   * @throws ArtifactsError `INVALID_INPUT` for what is no name of a namespace.
   */
  artifacts(namespace: string): NamespaceBinding
  /**
   * Takes up what earlier processes left behind: data of deleted repositories, repositories that were never finished, and events that
   * were not delivered. To be called when a process starts, and now and then.
   */
  resume(): Promise<void>
  /** Waits for work that goes on after answers, and closes what is open. The storage and the registry stay open. */
  close(): Promise<void>
}

const OPEN_REPOSITORIES = 64

/**
 * Creates a hub.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function createHub(options: HubOptions): Hub {
  const origin = parseOrigin(options.origin)
  if (!/^[A-Za-z0-9_-]+$/.test(options.account)) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `account is '${options.account}'; expected letters, digits, '_' and '-'`,
    )
  }
  const work = new Set<Promise<unknown>>()
  const context = createContext(options, origin.href, work)
  const authenticate = options.authenticate ?? authenticateByTokens(options.apiTokens ?? [])
  const rest = createRestHandler(context, routes, authenticate)
  const accounts = createAccountHandler(context, authenticate)
  const git = createGitEndpoint(context, options.git)

  const answer = async (request: Request): Promise<Response> => {
    const url = new URL(request.url)
    const path = below(origin.path, url.pathname)
    if (path?.startsWith('/client/v4/') === true) {
      return (await accounts(request, path)) ?? rest(movedTo(request, url, path))
    }
    if (path?.startsWith('/git/') === true) return git(request, path)
    if (path === '/openapi.json' && request.method === 'GET') {
      return Response.json(createOpenApiDocument(routes, origin.href))
    }
    return new Response('404 Not Found', {
      status: 404,
      headers: { 'Content-Type': 'text/plain; charset=UTF-8' },
    })
  }

  return {
    async fetch(request) {
      try {
        return await answer(request)
      } catch (error) {
        context.onError(error)
        return errorResponse(error)
      }
    },
    artifacts: (namespace) => createNamespaceBinding(context, namespace),
    async resume() {
      context.delivery.start()
      await resumeWork(context)
    },
    async close() {
      while (work.size > 0) await Promise.all(work)
      await context.delivery.close()
      await context.repositories.close()
    },
  }
}

function createContext(options: HubOptions, origin: string, work: Set<Promise<unknown>>): HubContext {
  const { storage, registry, codecs, receiveCodecs = codecs, onError = () => undefined } = options
  const memoryBudget = options.memoryBudget ?? createMemoryBudget()
  const repositories = createOpenRepositories({
    storage,
    codecs,
    receiveCodecs,
    memoryBudget,
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    capacity: options.openRepositories ?? OPEN_REPOSITORIES,
    onError,
  })
  const { account, events, clock: now = Date.now } = options
  return {
    account,
    origin,
    storage,
    registry,
    repositories,
    codecs,
    receiveCodecs,
    memoryBudget,
    limits: options.limits ?? {},
    imports: options.imports,
    events: events === undefined ? NO_EVENTS : createEventWriter(),
    delivery:
      events === undefined
        ? NO_DELIVERY
        : createEventDelivery(
            { account, registry, repositories, now, onError, waitUntil: options.waitUntil },
            events,
          ),
    now,
    random: options.random ?? ((count) => crypto.getRandomValues(new Uint8Array(count))),
    background(promise) {
      const watched = promise.catch(onError).finally(() => work.delete(watched))
      work.add(watched)
      options.waitUntil?.(watched)
    },
    onError,
  }
}

function parseOrigin(text: string): { readonly href: string; readonly path: string } {
  let url: URL
  try {
    url = new URL(text)
  } catch (cause) {
    throw new GitError('INVALID_ARGUMENT', `origin is '${text}'; expected e.g. https://git.example.com`, {
      cause,
    })
  }
  const path = url.pathname.replace(/\/+$/, '')
  return { href: url.origin + path, path }
}

/** The part of a path below another one; `undefined` where it is elsewhere. */
function below(base: string, path: string): string | undefined {
  if (base === '') return path
  return path.startsWith(`${base}/`) ? path.slice(base.length) : undefined
}

/** The same request, as if the hub were not mounted below a path. */
function movedTo(request: Request, url: URL, path: string): Request {
  if (url.pathname === path) return request
  const moved = new URL(url)
  moved.pathname = path
  return new Request(moved, request)
}
