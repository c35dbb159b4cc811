import type { FsckOptions } from '../object/fsck.ts'
import type { ProtocolLimits } from './protocol-limits.ts'

/** What both services are told. */
export interface ServiceOptions {
  /** What the `agent` capability says. Default `packstone/<version>`. */
  readonly agent?: string
  /** `transfer.hideRefs` and the service's own `hideRefs`, in config order: patterns with git's `!` and `^` forms. */
  readonly hiddenRefs?: readonly string[]
  /** Seconds of silence after which an empty side-band packet is sent, 0 for never. Default 5. */
  readonly keepAliveSeconds?: number
  /** Overrides of the default limits. */
  readonly limits?: Partial<ProtocolLimits>
}

/** How a repository is fetched from. Every policy is off by default, as in git. */
export interface UploadPackOptions extends ServiceOptions {
  /** v0/v1: tips of hidden refs may be asked for (`uploadpack.allowTipSHA1InWant`). */
  readonly allowTipSha1InWant?: boolean
  /** v0/v1: whatever a visible ref reaches through parents may be asked for (`uploadpack.allowReachableSHA1InWant`). */
  readonly allowReachableSha1InWant?: boolean
  /** v0/v1: any object of the repository may be asked for (`uploadpack.allowAnySHA1InWant`). */
  readonly allowAnySha1InWant?: boolean
}

/** How a repository is pushed to. Every policy is off by default, as in git. */
export interface ReceivePackOptions extends ServiceOptions {
  /** Refuses updates of branches that do not descend from the old value (`receive.denyNonFastForwards`). */
  readonly denyNonFastForwards?: boolean
  /** Refuses to delete branches (`receive.denyDeletes`). */
  readonly denyDeletes?: boolean
  /** Whether the branch that HEAD names may be deleted (`receive.denyDeleteCurrent`). Default `refuse`. */
  readonly denyDeleteCurrent?: 'ignore' | 'warn' | 'refuse'
  /** Whether a push of several refs may ask for all or none (`receive.advertiseAtomic`). Default true. */
  readonly advertiseAtomic?: boolean
  /** When given, every received object is checked by git's rules (`receive.fsckObjects`). */
  readonly fsck?: FsckOptions
  /** Largest pack taken, in bytes (`receive.maxInputSize`). */
  readonly maxInputSize?: number
  /** Who pushes, as `Name <email>`, for reflogs. Default `packstone <packstone@localhost>`. */
  readonly identity?: string
  /** The time for reflogs, in seconds since the epoch. Default: now. */
  readonly now?: () => number
}

/** Options of both services of one repository. */
export interface ProtocolOptions {
  readonly uploadPack: UploadPackOptions
  readonly receivePack: ReceivePackOptions
}
