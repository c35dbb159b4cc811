import type { ObjectId } from '../object/object-id.ts'
import type { RefTarget } from './ref.ts'

/**
 * What a ref must be at the moment of the edit, for the edit to take place: the compare of compare-and-swap.
 * Compared against the ref's own stored value, symbolic refs not followed.
 */
export type RefExpectation =
  /** Whatever it is. */
  | { readonly kind: 'any' }
  /** The ref must not exist. */
  | { readonly kind: 'absent' }
  /** The ref must exist with any value. */
  | { readonly kind: 'exists' }
  /** The ref must exist and hold this id. */
  | { readonly kind: 'id'; readonly id: ObjectId }
  /** The ref must exist and be symbolic with this target. */
  | { readonly kind: 'symbolic'; readonly target: string }

/** Who and why, for the reflog line of an edit. */
export interface ReflogEntry {
  /** `Name <email>`, as in a commit header. */
  readonly identity: string
  /** Seconds since the epoch. */
  readonly time: number
  /** Minutes east of UTC, as in `+0130` = 90. */
  readonly timezone: number
  /** One line; line breaks are replaced by spaces. */
  readonly message: string
}

/** One change to one ref. Names are full names, never followed through symbolic refs. */
export interface RefEdit {
  readonly name: string
  readonly expect: RefExpectation
  /** The new value, or `null` to delete the ref. */
  readonly target: RefTarget | null
  /**
   * Where the caller knows it: the object that the new target, an annotated tag, finally names, or `null` when the new
   * target is no tag. Lets the store remember it; see `Ref.peeled`.
   */
  readonly peeled?: ObjectId | null
  /** Written when the repository keeps reflogs (`core.logAllRefUpdates`). */
  readonly reflog?: ReflogEntry
}

/** Why an edit was refused. */
export type RefRejection =
  /** The ref's value is not what was expected; `found` is what it is (null: absent). */
  | { readonly reason: 'stale'; readonly found: RefTarget | null }
  /** Another ref occupies a directory of the name, or the name is a directory of another ref (`refs/heads/a` against `refs/heads/a/b`). */
  | { readonly reason: 'name-conflict'; readonly conflictsWith: string }
  /** Somebody else holds the ref's lock. */
  | { readonly reason: 'locked' }
  /** The edit itself was fine, but the transaction is atomic and another edit was refused. */
  | { readonly reason: 'atomic' }

/** The answer for one edit, in the order the edits were given. A lost race is a value, not an exception. */
export type RefOutcome =
  | { readonly kind: 'applied'; readonly name: string; readonly before: RefTarget | null }
  | { readonly kind: 'rejected'; readonly name: string; readonly rejection: RefRejection }
