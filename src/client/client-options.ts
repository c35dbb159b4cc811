import type { CredentialSource } from './credentials.ts'

/** The part of the web's `fetch` that the client uses. */
export type FetchFunction = (
  url: string,
  init: RequestInit & { readonly duplex?: 'half' },
) => Promise<Response>

/** What a remote may make the client hold in memory before a pack flows. */
export interface ClientLimits {
  /** Bytes of an advertisement or a list of refs. */
  readonly maxAdvertisementBytes: number
  /** Refs, and commits where history ends, that a remote may list. */
  readonly maxRefs: number
}

export const DEFAULT_CLIENT_LIMITS: ClientLimits = {
  maxAdvertisementBytes: 256 * 1024 * 1024,
  maxRefs: 2_000_000,
}

export interface ClientOptions {
  /** The repository: `https://host/path`. A user name and password in it serve as `credentials`. */
  readonly url: string
  /** Default: the host's `fetch`. */
  readonly fetch?: FetchFunction
  /** Given, they are sent from the first request on; a function is called when the remote asks (401), once in each operation. */
  readonly credentials?: CredentialSource
  /** Sent with every request to the origin of `url`. */
  readonly headers?: Readonly<Record<string, string>>
  /** How the client calls itself. Default `packstone/<version>`. */
  readonly agent?: string
  /** The protocol version to ask for; a server may answer with an older one. Default 2. */
  readonly protocol?: 0 | 1 | 2
  /**
   * Whether the repository's address may be learned from a redirect. Only the first request of an operation is redirected, only within
   * one scheme, and credentials and headers stay with the origin of `url`. Default false.
   */
  readonly followRedirects?: boolean
  /** Ends every operation of this client. */
  readonly signal?: AbortSignal
  readonly limits?: Partial<ClientLimits>
}

/** What every operation takes. */
export interface OperationOptions {
  readonly signal?: AbortSignal
  /** Receives what the remote says to people (`remote:` lines), in pieces as they come. Without it the remote is asked to be quiet. */
  readonly onMessage?: (text: string) => void
  /**
   * What `git fetch --server-option` says: texts for the remote alone. Only for fetching and listing, and only in version 2: `UNSUPPORTED`
   * where the remote does not offer it.
   */
  readonly serverOptions?: readonly string[]
}
