import type { NamespaceRecord, RepositoryRecord, TokenRecord } from '../records.ts'

/** An event in the outbox of a repository. */
export interface OutboxEvent {
  readonly sequence: number
  readonly repository: string
  readonly text: string
}

/** What a bucket holds of a namespace. */
export interface NamespaceDocument {
  readonly record: NamespaceRecord
  /** Another one every time that a namespace of this name is made: tombstones of the one before do not count any more. */
  readonly epoch: string
}

/**
 * What a bucket holds of a name within a namespace: all in one object, so that every change of a repository, its tokens and its events
 * is one put.
 */
export interface NameDocument {
  /** The repository that has the name; absent where it was deleted. */
  readonly record?: RepositoryRecord
  /** In the order in which they were made. */
  readonly tokens: readonly TokenRecord[]
  /** Events that wait, of this repository and of those that had the name before, ascending. */
  readonly outbox: readonly OutboxEvent[]
  /** The repository that had the name last, and the epoch of its namespace. */
  readonly tombstone?: { readonly id: string; readonly epoch: string }
}

/** Where a repository is: what ids and hashes lead to. It is looked up there; what leads nowhere is left over from a broken off call. */
export interface Address {
  readonly namespace: string
  readonly name: string
  /** Id of the repository. */
  readonly repository: string
}

export const NO_DOCUMENT: NameDocument = { tokens: [], outbox: [] }
