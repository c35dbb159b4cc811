import { GitError, isGitError } from '../errors.ts'
import { agentOf } from '../protocol/agent.ts'
import type { ServiceName } from '../protocol/service.ts'
import { BodyStream, throwIfAborted } from './body-stream.ts'
import type { ClientLimits, ClientOptions, FetchFunction, OperationOptions } from './client-options.ts'
import { DEFAULT_CLIENT_LIMITS } from './client-options.ts'
import { encodeAuthorization, type CredentialSource } from './credentials.ts'
import { failureOf } from './http-failure.ts'
import { advertisementUrl, parseRemoteUrl, redirectedBase } from './remote-url.ts'

/** How many redirects lead to one repository at most. */
const MAX_REDIRECTS = 5

/** A client's options, checked, and what it has learned about the remote's wishes. */
export interface Remote {
  readonly base: string
  readonly fetch: FetchFunction
  readonly credentials: CredentialSource | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly agent: string
  readonly protocol: 0 | 1 | 2
  readonly followRedirects: boolean
  readonly signal: AbortSignal | undefined
  readonly limits: ClientLimits
  /** The `Authorization` header of the next request, and the one origin that gets it; replaced when a callback was asked. */
  authorization: { readonly origin: string; readonly header: string } | undefined
}

/**
 * Checks the options of a client.
 *
 * @throws GitError `INVALID_ARGUMENT`, `UNSUPPORTED`
 */
export function createRemote(options: ClientOptions): Remote {
  const { base, userinfo } = parseRemoteUrl(options.url)
  const credentials = options.credentials ?? (userinfo && { kind: 'basic', ...userinfo })
  const isFixed = credentials !== undefined && typeof credentials !== 'function'
  return {
    base,
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    credentials,
    headers: options.headers ?? {},
    agent: agentOf(options.agent === undefined ? {} : { agent: options.agent }),
    protocol: options.protocol ?? 2,
    followRedirects: options.followRedirects ?? false,
    signal: options.signal,
    limits: { ...DEFAULT_CLIENT_LIMITS, ...options.limits },
    authorization: isFixed
      ? { origin: new URL(base).origin, header: encodeAuthorization(credentials) }
      : undefined,
  }
}

/** What is posted: bytes, which can be sent again, or a stream, which cannot. */
export type PostBody = Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>

/** The requests of one operation: authenticated, redirected and refused in one place. */
export class Connection {
  readonly remote: Remote
  readonly signal: AbortSignal | undefined
  /** Texts that go with every command of version 2. */
  readonly serverOptions: readonly string[]
  #base: string
  #hasAsked = false

  constructor(remote: Remote, { signal, serverOptions = [] }: OperationOptions) {
    if (serverOptions.some((text) => /[\n\0]/.test(text)))
      throw new GitError(
        'INVALID_ARGUMENT',
        'a server option has a line break or a NUL, which cannot be sent',
      )
    this.remote = remote
    this.serverOptions = serverOptions
    const signals = [remote.signal, signal].filter((one) => one !== undefined)
    this.signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0]
    this.#base = remote.base
  }

  /** The repository's address: that of the client, or where its advertisement was redirected to. */
  get base(): string {
    return this.#base
  }

  /** Asks for an advertisement. Only this request follows redirects. */
  async getAdvertisement(
    service: ServiceName,
    headers: Readonly<Record<string, string>>,
  ): Promise<BodyStream> {
    for (let redirects = 0; ; redirects++) {
      const url = advertisementUrl(this.#base, service)
      const init = { method: 'GET', headers: { ...headers, Accept: '*/*', Pragma: 'no-cache' } }
      const response = await this.#sendAuthenticated(url, init)
      const location = response.headers.get('Location')
      const isRedirect = response.status >= 300 && response.status < 400 && location !== null
      if (isRedirect && this.remote.followRedirects) {
        await new BodyStream(response.body, this.signal).return()
        if (redirects === MAX_REDIRECTS) {
          throw new GitError(
            'PROTOCOL',
            `${this.remote.base}: the remote redirects more than ${MAX_REDIRECTS} times`,
          )
        }
        this.#base = redirectedBase(url, location, service)
        continue
      }
      return this.#accept(response, url, `application/x-${service}-advertisement`)
    }
  }

  /** Posts a request to a service. */
  async post(
    service: ServiceName,
    body: PostBody,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<BodyStream> {
    const url = `${this.#base}/${service}`
    const all = {
      ...headers,
      'Content-Type': `application/x-${service}-request`,
      Accept: `application/x-${service}-result`,
    }
    const isStream = body instanceof ReadableStream
    const init = { method: 'POST', headers: all, body, ...(isStream ? { duplex: 'half' as const } : {}) }
    const response = isStream ? await this.#send(url, init) : await this.#sendAuthenticated(url, init)
    return this.#accept(response, url, `application/x-${service}-result`)
  }

  async #sendAuthenticated(url: string, init: Init): Promise<Response> {
    const response = await this.#send(url, init)
    const { credentials } = this.remote
    if (response.status !== 401 || typeof credentials !== 'function' || this.#hasAsked) return response
    this.#hasAsked = true
    const challenge = response.headers.get('WWW-Authenticate') ?? undefined
    const found = await credentials({ url: this.#base, challenge })
    if (found === undefined) return response
    await new BodyStream(response.body, this.signal).return()
    this.remote.authorization = { origin: new URL(url).origin, header: encodeAuthorization(found) }
    return this.#send(url, init)
  }

  async #send(url: string, init: Init): Promise<Response> {
    const { signal, remote } = this
    throwIfAborted(signal)
    const { origin } = new URL(url)
    const headers = new Headers({ 'User-Agent': `git/${remote.agent.replaceAll('/', '-')}`, ...init.headers })
    if (origin === new URL(remote.base).origin) {
      for (const [name, value] of Object.entries(remote.headers)) headers.set(name, value)
    }
    if (remote.authorization?.origin === origin) headers.set('Authorization', remote.authorization.header)
    try {
      return await remote.fetch(url, {
        ...init,
        headers,
        redirect: 'manual',
        ...(signal === undefined ? {} : { signal }),
      })
    } catch (cause) {
      throwIfAborted(signal)
      if (isGitError(cause)) throw cause
      throw new GitError('UNAVAILABLE', `${url}: the remote cannot be reached, or broke the connection`, {
        details: { url },
        cause,
      })
    }
  }

  async #accept(response: Response, url: string, expected: string): Promise<BodyStream> {
    if (!response.ok) throw await failureOf(response, url, this.signal)
    const body = new BodyStream(response.body, this.signal)
    const type = response.headers.get('Content-Type') ?? ''
    if (type.split(';', 1)[0]?.trim().toLowerCase() === expected) return body
    await body.return()
    throw new GitError(
      'PROTOCOL',
      `${url}: expected an answer of type ${expected}, but received '${type.slice(0, 80)}': this is no repository served over smart HTTP`,
      { details: { url } },
    )
  }
}

interface Init {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: PostBody
  readonly duplex?: 'half'
}
