import type { FetchFunction } from '../../client/client-options.ts'

/** How a hub reaches the remotes that it imports from. */
export interface ImportOptions {
  /**
   * Sends requests to hosts that clients of the hub name. It must not reach hosts that clients could not reach themselves:
   * `createPublicFetch` of `packstone/hosts/node` takes care of that; on Workers the platform does, and this is its `fetch`.
   */
  readonly fetch: FetchFunction
  /** Take `http:` URLs too, of loopback hosts only: for tests. Default false. */
  readonly allowLoopbackHttp?: boolean
  /** How long one import may take, in milliseconds. Default: an hour. */
  readonly timeout?: number
}

export const DEFAULT_IMPORT_TIMEOUT = 3_600_000
