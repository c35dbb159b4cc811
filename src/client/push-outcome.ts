import type { ObjectId } from '../object/object-id.ts'
import type { RemoteChange } from './push-report.ts'

/** One ref of the remote that a push changes. */
export interface PushUpdate {
  /** The remote's ref, by its full name. */
  readonly name: string
  /** What it shall hold: an id, or the name of a ref here; `null` deletes it. */
  readonly source: string | null
  /** What the remote must hold for the push to take place, `null` for nothing: git's `--force-with-lease`. */
  readonly expect?: ObjectId | null
  /** Also when the old value is lost. Default false. An `expect` that holds forces too. */
  readonly force?: boolean
}

/** Why a ref was not pushed. */
export type PushRejection =
  /** The remote holds something else than was expected. */
  | { readonly reason: 'stale' }
  /** The new value does not descend from the old one. */
  | { readonly reason: 'non-fast-forward' }
  /** What the remote holds is not here, so nobody can say whether it would be lost: fetch first. */
  | { readonly reason: 'fetch-first' }
  /** The remote has a tag of this name with another value. */
  | { readonly reason: 'tag-exists' }
  /** The remote does not delete refs. */
  | { readonly reason: 'deletion-not-offered' }
  /** There is nothing to delete. */
  | { readonly reason: 'absent' }
  /** Others of an atomic push were rejected. */
  | { readonly reason: 'atomic' }
  /** The remote refused, in its own words. */
  | { readonly reason: 'remote'; readonly message: string }
  /** The remote did not say what became of it. */
  | { readonly reason: 'unreported' }

interface PushFacts {
  readonly name: string
  /** What the remote held; `undefined` for nothing. */
  readonly before: ObjectId | undefined
  /** What it was to hold; `undefined` for nothing. */
  readonly after: ObjectId | undefined
}

/** What became of one ref. */
export type PushedRef =
  | (PushFacts & {
      readonly kind: 'created' | 'fast-forwarded' | 'forced' | 'deleted' | 'unchanged'
      /** What the remote says it did instead, where it says so. */
      readonly remoteChanges?: readonly RemoteChange[]
    })
  | (PushFacts & { readonly kind: 'rejected'; readonly rejection: PushRejection })
