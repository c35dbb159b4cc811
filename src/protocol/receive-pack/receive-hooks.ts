import type { ObjectId } from '../../object/object-id.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import type { QuarantinedPack } from '../../repository/incoming-pack.ts'
import type { Repository } from '../../repository/repository.ts'

/** One ref update of a push, as hooks see it. The all-zero id stands for "no ref". */
export interface HookCommand {
  readonly name: string
  readonly oldId: ObjectId
  readonly newId: ObjectId
  /** Why the update is refused already, in git's words. */
  readonly error?: string
}

/** What a hook has beside the commands. */
export interface PushContext {
  readonly repository: Repository
  /** The stored objects, and the received ones, which nobody else sees before the refs move. */
  readonly view: ObjectView
  /** The files of the received pack; `undefined` where none came, and once its objects are permanent. */
  readonly pack: QuarantinedPack | undefined
  /** What `git push -o` said. */
  readonly pushOptions: readonly string[]
  /** Whether all refs move or none. */
  readonly isAtomic: boolean
  /** Fires when the client goes away. */
  readonly signal: AbortSignal | undefined
  /** Says something to the person who pushes: each line arrives behind `remote:`. */
  readonly say: (text: string) => void
}

/** What a hook decides. A hook that throws declines. */
export type HookVerdict =
  | { readonly kind: 'accept' }
  /** `reason` takes the place of git's words beside the ref (`hook declined`); one line. */
  | { readonly kind: 'decline'; readonly reason?: string }

/** What became of a ref that a proc-receive hook took over: the ref that was changed instead, where it was another. */
export interface ProcReceiveReport {
  readonly refName?: string
  readonly oldId?: ObjectId
  readonly newId?: ObjectId
  readonly isForced?: boolean
}

/** The answer of a proc-receive hook for one ref. */
export type ProcReceiveAnswer =
  | { readonly kind: 'ok'; readonly name: string; readonly reports?: readonly ProcReceiveReport[] }
  | { readonly kind: 'refused'; readonly name: string; readonly reason: string }
  /** The ref is to be updated as if there were no hook. */
  | { readonly kind: 'fall-through'; readonly name: string }

/**
 * What is asked and told while a push is carried out (githooks), in this order: pre-receive, proc-receive, update for each ref,
 * reference-transaction, post-receive.
 */
export interface ReceiveHooks {
  /**
   * Makes received objects permanent as soon as pre-receive has accepted, as git does, so that programs which know nothing of our
   * quarantine find them; what is refused later then leaves them behind. Always so for pushes that proc-receive takes over. Default:
   * false, and objects become permanent together with the refs.
   */
  readonly storesObjectsFirst?: boolean
  /** Sees all commands, also refused ones, before anything changes. Declining refuses the whole push. */
  readonly preReceive?: (commands: readonly HookCommand[], context: PushContext) => Promise<HookVerdict>
  /**
   * Carries out the commands whose refs `procReceiveRefs` names, in place of this server. Every one of them must be answered.
   */
  readonly procReceive?: (
    commands: readonly HookCommand[],
    context: PushContext,
  ) => Promise<readonly ProcReceiveAnswer[]>
  /** Decides on one command that the rules allow. */
  readonly update?: (command: HookCommand, context: PushContext) => Promise<HookVerdict>
  /**
   * `prepared`: the updates are about to be made, and declining stops them. Then exactly one of `committed` and `aborted`, whose
   * verdict counts for nothing. An atomic push is one transaction; otherwise each ref is one of its own. Refs are not locked while
   * `prepared` runs: a transaction that loses a race afterwards is `aborted`.
   */
  readonly referenceTransaction?: (
    state: 'prepared' | 'committed' | 'aborted',
    updates: readonly HookCommand[],
    context: PushContext,
  ) => Promise<HookVerdict>
  /** Is told what was done, after the report is decided: nothing that happens here changes it. */
  readonly postReceive?: (commands: readonly HookCommand[], context: PushContext) => Promise<void>
}
