import { isGitError } from '../../errors.ts'
import { createGitHandler } from '../../http/git-handler.ts'
import type { Resolution } from '../../http/resolution.ts'
import type { SentPack } from '../../protocol/upload-pack/upload-options.ts'
import type { ProtocolOptions, ReceivePackOptions } from '../../protocol/service-options.ts'
import type { ReceiveHooks } from '../../protocol/receive-pack/receive-hooks.ts'
import type { Repository } from '../../repository/repository.ts'
import type { HubContext } from '../hub-context.ts'
import { isPassingFailure } from '../passing-failure.ts'
import { createRateLimiter } from '../rate-limiter.ts'
import type { RepositoryRecord } from '../registry/records.ts'
import { remainingBytes } from '../repositories/remaining-bytes.ts'
import { ARTIFACTS_CAPABILITIES, type GitCapabilities } from './artifacts-capabilities.ts'
import { authoriseGit } from './authorise-git.ts'
import { parseGitAddress, type GitAddress } from './git-address.ts'

/** How Git clients are served. */
export interface GitEndpointOptions extends Partial<ProtocolOptions> {
  /** Lets pushes with a write token into read-only repositories, as Cloudflare Artifacts was seen to do. Default false. */
  readonly pushToReadOnly?: boolean
  /** What clients are offered. Default `full`: thin packs and offset deltas save bytes, and atomic pushes keep refs together. */
  readonly capabilities?: GitCapabilities
}

/** Every client may look for what it missed: filters, and any object that a ref reaches. */
const UPLOAD = { allowTipSha1InWant: true, allowReachableSha1InWant: true, allowSidebandAll: true }

/** Whoever may push may do everything to refs that Git can, and say something to hooks. */
const RECEIVE = {
  denyDeleteCurrent: 'ignore',
  shallowUpdate: true,
  advertisePushOptions: true,
  staleError: 'stale ref',
} as const

/**
 * Creates the Git interface: `/git/<namespace>/<name>.git` over smart HTTP, opened by the tokens of the repository.
 */
export function createGitEndpoint(
  hub: HubContext,
  options: GitEndpointOptions = {},
): (request: Request, path: string) => Promise<Response> {
  const { gitRate } = hub.limits
  const offered: Partial<ProtocolOptions> = options.capabilities === 'artifacts' ? ARTIFACTS_CAPABILITIES : {}
  const limiter = gitRate && createRateLimiter(gitRate, hub.now)

  const resolve = async (
    record: RepositoryRecord,
    { service }: GitAddress,
    method: string,
  ): Promise<Resolution> => {
    const isPush = service === 'git-receive-pack'
    const endPush = isPush && method === 'POST' ? await hub.delivery.beginPush(record.id) : undefined
    try {
      const { repository, release } = await hub.repositories.borrow(record.id)
      return {
        kind: 'found',
        repository,
        release: () => {
          release()
          endPush?.()
        },
        access: { upload: !isPush, receive: isPush },
        options: {
          uploadPack: {
            ...UPLOAD,
            ...offered.uploadPack,
            ...options.uploadPack,
            onSent: tellingOfFetches(hub, record, options),
          },
          receivePack: isPush ? await receiveOptions(repository, record) : {},
        },
      }
    } catch (error) {
      endPush?.()
      // Deleted since it was found.
      if (isGitError(error, 'NOT_FOUND')) return { kind: 'not-found' }
      throw error
    }
  }

  const receiveOptions = async (
    repository: Repository,
    record: RepositoryRecord,
  ): Promise<ReceivePackOptions> => {
    const { objectBytes } = hub.limits
    const maxInputSize = await remainingBytes(hub.limits, repository)
    const given = options.receivePack ?? {}
    return {
      ...RECEIVE,
      ...offered.receivePack,
      ...(objectBytes === undefined ? {} : { maxObjectBytes: objectBytes }),
      ...(maxInputSize === undefined ? {} : { maxInputSize }),
      events: hub.events.pushed(record, hub.now()),
      ...given,
      hooks: notingPushes(hub, record, given.hooks),
    }
  }

  const answer = async (request: Request, path: string): Promise<Response> => {
    const address = parseGitAddress(request.method, path, new URL(request.url).searchParams)
    if (address === undefined) return plainText(404, 'Not found')
    const authorised = await authoriseGit(hub, request, address, options.pushToReadOnly ?? false)
    if (authorised.kind === 'anonymous') {
      return plainText(401, 'Authentication required', { 'WWW-Authenticate': 'Basic realm="artifacts"' })
    }
    if (authorised.kind === 'refused') return plainText(authorised.status, authorised.message)
    const { repository } = authorised
    const wait = limiter?.count(repository.id)
    if (wait !== undefined) return plainText(429, 'Too many requests', { 'Retry-After': String(wait) })
    const handler = createGitHandler({
      resolve: () => resolve(repository, address, request.method),
      onError: hub.onError,
    })
    return handler(request)
  }

  return async (request, path) => {
    try {
      return await answer(request, path)
    } catch (error) {
      hub.onError(error)
      // What failed may speak of files and servers that are not the client's business.
      return isPassingFailure(error)
        ? plainText(503, 'The server is busy. Please retry.', { 'Retry-After': '1' })
        : plainText(500, 'The server failed to answer this request')
    }
  }
}

/** Notes events of fetches in the outbox, in the background: an answer does not wait for them. */
function tellingOfFetches(
  hub: HubContext,
  record: RepositoryRecord,
  { uploadPack }: GitEndpointOptions,
): (sent: SentPack) => void {
  return (sent) => {
    uploadPack?.onSent?.(sent)
    const at = hub.now()
    const events = sent.isClone ? hub.events.cloned(record, at) : hub.events.fetched(record, at)
    if (events.length === 0) return
    hub.background(
      hub.registry.appendEvents(record.id, events).then(() => {
        hub.delivery.notify(record.id)
      }),
    )
  }
}

/** Hooks that note in the registry that refs have changed, before the client hears of it. */
function notingPushes(hub: HubContext, record: RepositoryRecord, hooks: ReceiveHooks = {}): ReceiveHooks {
  let noted = false
  return {
    ...hooks,
    referenceTransaction: async (state, updates, context) => {
      if (state === 'committed' && !noted) {
        noted = true
        await hub.registry.recordPush(record.id, hub.now())
      }
      return (await hooks.referenceTransaction?.(state, updates, context)) ?? { kind: 'accept' }
    },
  }
}

/** Git shows its user the text as `remote: …`. */
function plainText(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(text, {
    status,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-cache', ...headers },
  })
}
