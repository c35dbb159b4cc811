import type { FilterKind } from '../../graph/object-filter.ts'
import type { ObjectId } from '../../object/object-id.ts'
import type { ProtocolVersion } from '../protocol-version.ts'
import type { ServiceOptions } from '../service-options.ts'

/**
 * How a repository is fetched from. Policies are off by default, as in git, except where it says otherwise: what only makes
 * fetching cheaper is on.
 */
export interface UploadPackOptions extends ServiceOptions {
  /** v0/v1: tips of hidden refs may be asked for (`uploadpack.allowTipSHA1InWant`). */
  readonly allowTipSha1InWant?: boolean
  /** v0/v1: whatever a ref reaches may be asked for (`uploadpack.allowReachableSHA1InWant`). */
  readonly allowReachableSha1InWant?: boolean
  /** v0/v1: any object of the repository may be asked for (`uploadpack.allowAnySHA1InWant`). */
  readonly allowAnySha1InWant?: boolean
  /**
   * Partial clones may be made (`uploadpack.allowFilter`). Default true; git's own default, which holds where the options are read
   * from a repository's config, is false.
   */
  readonly allowFilter?: boolean
  /** Which filters are allowed where filters are. */
  readonly filters?: FilterPolicy
  /** v2: a fetch may name refs instead of ids (`uploadpack.allowRefInWant`). */
  readonly allowRefInWant?: boolean
  /** v2: a client may ask that all of an answer is sent on side-bands (`uploadpack.allowSidebandAll`). */
  readonly allowSidebandAll?: boolean
  /** v2: the command `object-info` (`transfer.advertiseObjectInfo`). Default true, as in git up to 2.39; later versions turned it off. */
  readonly advertiseObjectInfo?: boolean
  /**
   * v2: whether a client learns of the branch that HEAD of an empty repository names (`lsrefs.unborn`): it is offered, given to those
   * who ask without an offer, or kept. Default `advertise`.
   */
  readonly unborn?: UnbornPolicy
  /** v0/v1: whether clients are told of the branch that HEAD of an empty repository names. Default false, as in git. */
  readonly unbornSymref?: boolean
  /** v2: bundles from which a client may get most of what it clones (`bundle.*`). Absent: the command is not advertised. */
  readonly bundles?: BundleList
  /** v2: objects that a client may fetch as packs from elsewhere (`uploadpack.blobPackfileUri`). None: not advertised. */
  readonly packfileUris?: readonly PackfileUri[]
  /** Is told who asks before a request is answered. What it throws refuses the request; say why in a GitError `FORBIDDEN`. */
  readonly onClient?: (client: FetchClient) => void | Promise<void>
  /** Is told when a pack has been sent to its end. */
  readonly onSent?: (sent: SentPack) => void
}

/** A pack that a client has got. */
export interface SentPack {
  /** Whether the client had nothing that the server knows. */
  readonly isClone: boolean
  readonly objectCount: number
}

export type UnbornPolicy = 'advertise' | 'allow' | 'ignore'

/** Which filters may be asked for (`uploadpackfilter.*`). */
export interface FilterPolicy {
  /** Those that `kinds` says nothing of (`uploadpackfilter.allow`). Default true. */
  readonly allow?: boolean
  /** By kind (`uploadpackfilter.<filter>.allow`). */
  readonly kinds?: Readonly<Partial<Record<FilterKind, boolean>>>
  /** The greatest depth of a `tree:<depth>` (`uploadpackfilter.tree.maxDepth`). Default: any. */
  readonly maxTreeDepth?: number
}

/** A list of bundles (gitprotocol-v2, "bundle-uri"). */
export interface BundleList {
  /** A client needs all of them, or any one. */
  readonly mode: 'all' | 'any'
  /** What a client may choose by; `creationToken`: the greater the token, the newer. */
  readonly heuristic?: 'creationToken'
  readonly bundles: readonly Bundle[]
}

export interface Bundle {
  /** Letters, digits and dashes. */
  readonly id: string
  /** Absolute, or relative to the repository's own address. */
  readonly uri: string
  readonly creationToken?: number
}

/** An object that is to be had elsewhere. */
export interface PackfileUri {
  readonly object: ObjectId
  /** Checksum of the pack that holds it, as in the pack's name. */
  readonly pack: ObjectId
  readonly uri: string
}

/** What a client says of itself with a request. */
export interface FetchClient {
  readonly version: ProtocolVersion
  /** `fetch` also in v0 and v1. */
  readonly command: string
  readonly agent: string | undefined
  readonly sessionId: string | undefined
  /** What `git fetch --server-option` sent, in order; v2 only. */
  readonly serverOptions: readonly string[]
}
