/** An object that was read, whole or in part. */
export interface BucketObject {
  /** The bytes asked for; they belong to the caller. */
  readonly bytes: Uint8Array
  /** Names this version of the object in conditions. */
  readonly etag: string
}

/** An object in a listing. */
export interface ListedObject {
  readonly key: string
  /** Size in bytes. */
  readonly size: number
  /** When it was written, in milliseconds since the epoch, by the store's clock. */
  readonly uploaded: number
  /** Names this version among the listings of one store: another one has another. Not for conditions, where it may be spelled otherwise. */
  readonly etag: string
}

export interface GetOptions {
  /** All of it lies within the object. Absent: the whole object. */
  readonly range?: { readonly offset: number; readonly length: number }
  /** The etag of the version that the caller has: the answer is then `unchanged` as long as it is the current one. */
  readonly unless?: string
}

/** What must be so for a put to take place. */
export type PutCondition =
  /** There is no object of this key. */
  | { readonly kind: 'absent' }
  /** The object is there in the version of this etag. */
  | { readonly kind: 'match'; readonly etag: string }

export interface ListOptions {
  readonly prefix: string
  /** Keys up to and including this one are left out. */
  readonly startAfter?: string
  /** The cursor of the page before. */
  readonly cursor?: string
  readonly limit?: number
}

export interface ListPage {
  /** In byte order of keys. */
  readonly objects: readonly ListedObject[]
  /** Absent on the last page. */
  readonly cursor?: string
}

/** An object that is uploaded in parts, visible to nobody before `complete`. */
export interface BucketUpload {
  /** @param number counted from 1, in any order. Every part but the last has `limits.partBytes`. */
  uploadPart(number: number, bytes: Uint8Array): Promise<void>
  complete(): Promise<void>
  /** Drops what was uploaded. */
  abort(): Promise<void>
}

export interface BucketLimits {
  /** Size of the parts of an upload; what is smaller is put in one piece. */
  readonly partBytes: number
  /** Most parts of an upload. */
  readonly maxParts: number
  /** Most keys of one `delete`. */
  readonly maxDeletes: number
}

/**
 * The port to an object store: what an adapter provides. Keys are of `[A-Za-z0-9._-]` and `/`.
 *
 * The store must be strongly consistent (what was put is seen by every get and list that starts afterwards) and honour the
 * conditions of puts; `assertConditionalWrites` tells whether it does.
 *
 * @throws GitError `UNAVAILABLE` from every method when trying again may help: refused for now, overloaded, or no answer, in which
 *   case it may have happened. `STORAGE` for everything else.
 */
export interface Bucket {
  /** For messages and logs, e.g. `s3:https://host/bucket`. */
  readonly location: string
  readonly limits: BucketLimits
  /** Reads an object; `undefined` when there is none. */
  get(key: string, options?: GetOptions): Promise<BucketObject | 'unchanged' | undefined>
  /**
   * Writes an object, whole or not at all.
   *
   * @returns its etag; `undefined` when the condition does not hold.
   */
  put(key: string, bytes: Uint8Array, condition?: PutCondition): Promise<string | undefined>
  beginUpload(key: string): Promise<BucketUpload>
  list(options: ListOptions): Promise<ListPage>
  /** Deletes objects, at most `limits.maxDeletes`. Keys without an object are ignored. */
  delete(keys: readonly string[]): Promise<void>
}
