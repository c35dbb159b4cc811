import type { ObjectId } from '../object/object-id.ts'
import type { RefRejection } from '../refs/ref-edit.ts'

/** Why a fetched ref was not written. */
export type FetchRejection =
  /** The new value does not descend from the old one, and the refspec has no `+`. */
  | { readonly reason: 'non-fast-forward' }
  /** A tag of this name is there, with another value, and the refspec has no `+`. */
  | { readonly reason: 'tag-exists' }
  /** It would make this repository's history shallow: see `updateShallow`. */
  | { readonly reason: 'shallow-update' }
  /** Branches hold commits, and this is none. */
  | { readonly reason: 'not-a-commit' }
  /** The name cannot be stored. */
  | { readonly reason: 'invalid-name' }
  /** The ref to write is symbolic. */
  | { readonly reason: 'symbolic'; readonly target: string }
  /** What the storage says: the ref was changed meanwhile, its name is taken, it is locked, or others of an atomic fetch failed. */
  | RefRejection

/** What became of one ref. */
export type FetchedRef =
  | {
      /** `fetched`: the objects are here, and no ref was to be written. */
      readonly kind: 'created' | 'fast-forwarded' | 'forced' | 'unchanged' | 'pruned' | 'fetched'
      /** The ref here. */
      readonly name: string | undefined
      /** The remote's name for it; `undefined` when it was asked for by id, or is gone there. */
      readonly remote: string | undefined
      readonly before: ObjectId | undefined
      readonly after: ObjectId | undefined
    }
  | {
      readonly kind: 'rejected'
      readonly name: string
      readonly remote: string | undefined
      readonly before: ObjectId | undefined
      readonly after: ObjectId | undefined
      readonly rejection: FetchRejection
    }
