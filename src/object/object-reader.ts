import type { ObjectFormat } from './object-format.ts'
import type { ObjectId } from './object-id.ts'
import type { ObjectType } from './object-type.ts'

/** An object as stored: its type and its body, without the header. */
export interface RawObject {
  readonly type: ObjectType
  /** The body. Shared with caches: never write to it, and do not keep a view of it beyond the request. */
  readonly body: Uint8Array
}

/**
 * Where walks get objects from: synchronous over what is resident, with misses batched.
 *
 * A loop asks `tryRead` for everything on its frontier; what came back `undefined` it puts aside, awaits `settle`
 * once, and asks again. No await per object.
 */
export interface ObjectReader {
  readonly format: ObjectFormat
  /** Commits whose parents this repository does not have: every walk treats them as having none. */
  readonly shallow: ReadonlySet<ObjectId>
  /**
   * The object, `null` when it is known to be absent, `undefined` when it is not resident yet: the wish is noted,
   * and answered after `settle()`. Asking again after one `settle()` may still say `undefined` (a delta chain
   * reaches into another block): settle and ask until it does not.
   *
   * @throws GitError `CORRUPT_PACK`, `CORRUPT_OBJECT`, `CORRUPT_DELTA`, `CORRUPT_ZLIB`
   */
  tryRead(id: Uint8Array): RawObject | null | undefined
  /** Whether the object is present: like `tryRead`, without its body. */
  tryHas(id: Uint8Array): boolean | undefined
  /** Makes what was noted resident, in as few reads of the storage as possible. */
  settle(): Promise<void>
}

/** Reads one object; `null` when it is absent. For code that is not a loop. */
export async function readObject(reader: ObjectReader, id: Uint8Array): Promise<RawObject | null> {
  for (;;) {
    const object = reader.tryRead(id)
    if (object !== undefined) return object
    await reader.settle()
  }
}

/** Whether one object is present. For code that is not a loop. */
export async function hasObject(reader: ObjectReader, id: Uint8Array): Promise<boolean> {
  for (;;) {
    const present = reader.tryHas(id)
    if (present !== undefined) return present
    await reader.settle()
  }
}
