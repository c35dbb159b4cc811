import type { ObjectId } from '../object/object-id.ts'

/** What a ref holds: an object id, or the name of another ref. */
export type RefTarget =
  { readonly kind: 'direct'; readonly id: ObjectId } | { readonly kind: 'symbolic'; readonly target: string }

/** A stored ref. */
export interface Ref {
  /** Full name: `HEAD`, `refs/heads/main`, … */
  readonly name: string
  readonly target: RefTarget
  /**
   * Where the store knows it without reading objects (packed-refs): the object an annotated tag finally names,
   * or `null` when the ref does not name a tag. Absent when unknown.
   */
  readonly peeled?: ObjectId | null
}
