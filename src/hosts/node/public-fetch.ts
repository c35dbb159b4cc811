import { lookup as resolveHost, type LookupAddress } from 'node:dns'
import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { Readable } from 'node:stream'
import type { FetchFunction } from '../../client/client-options.ts'
import { GitError } from '../../errors.ts'
import { isLoopbackAddress, isPublicAddress, PRIVATE_ADDRESS } from '../../hub/import/public-address.ts'

/** Finds the addresses of a host. */
export type ResolveAddresses = (hostname: string) => Promise<readonly { address: string; family: number }[]>

export interface PublicFetchOptions {
  /** Reach hosts on this machine too: for tests. Default false. */
  readonly allowLoopback?: boolean
  /** Certificates of authorities to trust instead of the usual ones, as PEM. */
  readonly ca?: string | readonly string[]
  /** How long a remote may be silent, in milliseconds. Default 60 000. */
  readonly stallTimeout?: number
  /** Default: the machine's resolver. */
  readonly resolve?: ResolveAddresses
}

/** A `fetch` that reaches the public internet only, and what it keeps open. */
export interface PublicFetch {
  readonly fetch: FetchFunction
  /** Closes idle connections. */
  close(): void
}

const STALL_TIMEOUT = 60_000

/**
 * Creates a `fetch` for URLs that strangers name. What their hosts resolve to is checked, and the connection goes to the very address
 * that was checked: private, loopback, link-local and other special addresses are refused. Redirects are given back, never followed.
 */
export function createPublicFetch(options: PublicFetchOptions = {}): PublicFetch {
  const { allowLoopback = false, ca, stallTimeout = STALL_TIMEOUT, resolve = resolveByHost } = options
  if (!(stallTimeout > 0))
    throw new GitError('INVALID_ARGUMENT', `stallTimeout must be above 0, but is ${stallTimeout}`)
  const isAllowed = (address: string): boolean =>
    isPublicAddress(address) || (allowLoopback && isLoopbackAddress(address))
  const lookup = createLookup(resolve, isAllowed)
  const http = new HttpAgent({ keepAlive: true, lookup })
  const https = new HttpsAgent({
    keepAlive: true,
    lookup,
    ...(ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : [...ca] }),
  })
  return {
    fetch: (text, init) => {
      const url = new URL(text)
      // A host that is an address is never looked up.
      const hostname = url.hostname.replace(/^\[|\]$/g, '')
      if (isIP(hostname) !== 0 && !isAllowed(hostname)) return Promise.reject(refusal(hostname))
      const agent = url.protocol === 'https:' ? https : http
      return send(url, init, agent, stallTimeout)
    },
    close: () => {
      http.destroy()
      https.destroy()
    },
  }
}

/** Gives the addresses of a host that may be reached, so that only these are connected to. */
function createLookup(resolve: ResolveAddresses, isAllowed: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (found) => {
        const usable = found.filter(
          ({ address, family }) =>
            isAllowed(address) &&
            (options.family === undefined || options.family === 0 || options.family === family),
        )
        const [first] = usable
        if (first === undefined) callback(refusal(hostname), '', 0)
        else if (options.all === true) callback(null, [...usable])
        else callback(null, first.address, first.family)
      },
      (error: unknown) => {
        callback(error instanceof Error ? error : new Error(String(error)), '', 0)
      },
    )
  }
}

function resolveByHost(hostname: string): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) => {
    resolveHost(hostname, { all: true }, (error, addresses) => {
      if (error === null) resolve(addresses)
      else reject(error)
    })
  })
}

function refusal(host: string): GitError {
  return new GitError('FORBIDDEN', `'${host}' is not a host of the public internet`, {
    details: { reason: PRIVATE_ADDRESS, host },
  })
}

function send(
  url: URL,
  init: Parameters<FetchFunction>[1],
  agent: HttpAgent | HttpsAgent,
  stallTimeout: number,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const headers = Object.fromEntries(new Headers(init.headers))
    const request = agent instanceof HttpsAgent ? requestHttps : requestHttp
    const outgoing = request(
      url,
      {
        agent,
        headers,
        method: init.method ?? 'GET',
        timeout: stallTimeout,
        signal: init.signal ?? undefined,
      },
      (incoming) => {
        resolve(toResponse(incoming))
      },
    )
    outgoing.on('error', reject)
    outgoing.on('timeout', () => {
      outgoing.destroy(new GitError('UNAVAILABLE', `${url.origin} was silent for ${stallTimeout} ms`))
    })
    const { body } = init
    if (body instanceof ReadableStream) {
      Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0])
        .on('error', (error) => outgoing.destroy(error))
        .pipe(outgoing)
    } else if (body == null) outgoing.end()
    else if (body instanceof Uint8Array) outgoing.end(body)
    else {
      outgoing.destroy()
      reject(new GitError('INVALID_ARGUMENT', 'a body must be bytes or a stream of them'))
    }
  })
}

function toResponse(incoming: IncomingMessage): Response {
  const headers = new Headers()
  for (const [name, values] of Object.entries(incoming.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value)
  }
  const { statusCode: status = 502 } = incoming
  const hasBody = status >= 200 && ![204, 205, 304].includes(status)
  if (!hasBody) incoming.resume()
  const body = hasBody ? (Readable.toWeb(incoming) as ReadableStream<Uint8Array>) : null
  return new Response(body, { status, headers })
}
