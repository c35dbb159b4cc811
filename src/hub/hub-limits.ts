/** So many requests in so many seconds. */
export interface RequestRate {
  readonly requests: number
  readonly seconds: number
}

/** What a hub allows. What is absent is not limited, except where it says otherwise. */
export interface HubLimits {
  /** Requests to the control plane, for each namespace. Counted by each process for itself. */
  readonly controlRate?: RequestRate
  /** Requests of Git clients, for each repository. Counted by each process for itself. */
  readonly gitRate?: RequestRate
  /** Bytes of packs in one repository, beyond which pushes are refused. */
  readonly repositoryBytes?: number
  /** Bytes of one object that is pushed, imported or written. */
  readonly objectBytes?: number
  /** Bytes of one blob that is read whole, through the binding or from a hash or a path over REST. Default 32 MiB. */
  readonly readBytes?: number
}

/** The limits of Cloudflare Artifacts. */
export const ARTIFACTS_LIMITS: HubLimits = {
  controlRate: { requests: 2000, seconds: 10 },
  gitRate: { requests: 2000, seconds: 10 },
  repositoryBytes: 1_000_000_000,
  objectBytes: 32 << 20,
  readBytes: 32 << 20,
}
