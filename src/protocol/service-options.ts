import type { FsckOptions } from '../object/fsck.ts'
import type { RefEdit, RefOutcome } from '../refs/ref-edit.ts'
import type { ProtocolLimits } from './protocol-limits.ts'
import type { ReceiveHooks } from './receive-pack/receive-hooks.ts'
import type { UploadPackOptions } from './upload-pack/upload-options.ts'

export type { UploadPackOptions } from './upload-pack/upload-options.ts'

/** What both services are told. */
export interface ServiceOptions {
  /** What the `agent` capability says. Default `packstone/<version>`. */
  readonly agent?: string
  /** `transfer.hideRefs` and the service's own `hideRefs`, in config order: patterns with git's `!` and `^` forms. */
  readonly hiddenRefs?: readonly string[]
  /**
   * Which capabilities are offered, of those that the other options allow, and in which order: `v0/<name>` for versions 0 and 1 of
   * fetching, `v2/<name>` and `v2/fetch=<feature>` for version 2, `push/<name>`. What is not offered is not taken. Default: all.
   */
  readonly capabilities?: readonly string[]
  /** Seconds of silence after which an empty side-band packet is sent, 0 for never. Default 5. */
  readonly keepAliveSeconds?: number
  /** Makes the value of the `session-id` capability, anew for each request. Absent: it is not advertised (`transfer.advertiseSID`). */
  readonly sessionId?: () => string
  /** Overrides of the default limits. */
  readonly limits?: Partial<ProtocolLimits>
}

/**
 * How a repository is pushed to. Policies are off by default, as in git; checking objects is on. A list of patterns means full ref
 * names with `*`, `**` and `!` (`createRefMatcher`).
 */
export interface ReceivePackOptions extends ServiceOptions {
  /** Refuses updates that do not descend from the old value (`receive.denyNonFastForwards`): of branches, or of what patterns mean. */
  readonly denyNonFastForwards?: boolean | readonly string[]
  /** Refuses to delete branches (`receive.denyDeletes`), or what patterns mean. */
  readonly denyDeletes?: boolean | readonly string[]
  /** Whether the branch that HEAD names may be deleted (`receive.denyDeleteCurrent`). Default `refuse`. */
  readonly denyDeleteCurrent?: 'ignore' | 'warn' | 'refuse'
  /** Patterns of refs that nobody may create, change or delete by pushing. */
  readonly protectedRefs?: readonly string[]
  /** Refuses to change or delete a tag once it is there. */
  readonly immutableTags?: boolean
  /** Whether a push of several refs may ask for all or none (`receive.advertiseAtomic`). Default true. */
  readonly advertiseAtomic?: boolean
  /** Whether `git push -o` may say something to the hooks (`receive.advertisePushOptions`). Default false. */
  readonly advertisePushOptions?: boolean
  /** Whether a push may make this repository's history end where the client's ends (`receive.shallowUpdate`). Default false. */
  readonly shallowUpdate?: boolean
  /**
   * How every received object is checked by git's rules (`receive.fsckObjects`); `false` for not at all. Default: strictly, as git
   * does when told to.
   */
  readonly fsck?: FsckOptions | false
  /** Largest pack taken, in bytes (`receive.maxInputSize`). */
  readonly maxInputSize?: number
  /** Largest object taken, inflated, in bytes. */
  readonly maxObjectBytes?: number
  /** Most objects in one pack. */
  readonly maxObjects?: number
  /** Whether clients are told of HEAD, first, and of the branch that it names, as Cloudflare Artifacts does and git does not. Default false. */
  readonly advertiseHead?: boolean
  /** Most refs in one push. */
  readonly maxRefUpdates?: number
  /** Longest ref name that may be created, in bytes. */
  readonly maxRefNameBytes?: number
  /** Refs that a proc-receive hook takes over, as in `receive.procReceiveRefs`: `[adm!]*:<prefix>` or `<prefix>`. */
  readonly procReceiveRefs?: readonly string[]
  /** What is asked and told while a push is carried out. */
  readonly hooks?: ReceiveHooks
  /** Makes texts for the repository's outbox, inside the atomic step that changes the refs: see `StorageCommit.events`. */
  readonly events?: (edits: readonly RefEdit[], outcomes: readonly RefOutcome[]) => readonly string[]
  /** What the report says of a ref that is elsewhere than the client saw it. Default: git's `failed to update ref`. */
  readonly staleError?: string
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
