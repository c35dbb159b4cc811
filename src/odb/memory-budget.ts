import { MemoryPool } from '../bytes/memory-pool.ts'
import { SharedLru } from '../bytes/shared-lru.ts'
import { GitError } from '../errors.ts'
import type { RawObject } from '../object/object-reader.ts'
import { KeptPacks } from './kept-packs.ts'
import { KnownRequests } from './known-requests.ts'

/** What is taken where the host does not say how much there is: a third of the smallest isolates. */
const DEFAULT_BYTES = 48 << 20
/** Below this nothing works well enough to be of use. */
const LEAST_BYTES = 1 << 20

/** Memory that readers share, bounded in bytes. */
export interface ObjectCaches {
  /** Blocks of stored pack files. */
  readonly blocks: SharedLru<Uint8Array>
  /** Inflated objects, as bases for deltas and for repeated reads. */
  readonly objects: SharedLru<RawObject>
  /** Packs that were made for somebody; they take part in `blocks`. */
  readonly packs: KeptPacks
  readonly requests: KnownRequests
}

/**
 * What the engine may hold in memory: made once, at the edge, and passed to every repository that shall share it.
 *
 * One half is for caches, the other for the packs that are being received or indexed: what does not fit is worked on in pieces, and
 * who finds everything taken waits. On top come the resident indexes of the packs of open repositories, and while a pack is indexed
 * some tens of bytes for each of its objects.
 */
export interface MemoryBudget {
  /** All of it. */
  readonly bytes: number
  readonly caches: ObjectCaches
  readonly work: MemoryPool
  /** Called when the tables of a large pack were let go, see {@link MemoryBudgetOptions}. */
  readonly collectGarbage: () => void
}

export interface MemoryBudgetOptions {
  /**
   * Gives back at once what nobody holds any more, where the host can do that; a process that must stay small wants it.
   * `packstone/hosts/node` makes one. Default: the runtime chooses its time.
   */
  readonly collectGarbage?: () => void
}

/**
 * Creates a budget.
 *
 * @param bytes default 48 MiB.
 * @throws GitError `INVALID_ARGUMENT` for less than 1 MiB.
 */
export function createMemoryBudget(
  bytes: number = DEFAULT_BYTES,
  { collectGarbage = () => undefined }: MemoryBudgetOptions = {},
): MemoryBudget {
  if (!(bytes >= LEAST_BYTES)) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `a memory budget of ${bytes} bytes is too small; give at least 1 MiB`,
    )
  }
  const half = Math.floor(bytes / 2)
  return { bytes, caches: createObjectCaches(half), work: new MemoryPool(half), collectGarbage }
}

/** Divides bytes between stored blocks and inflated objects: blocks take up to half, and objects may have whatever blocks leave. */
export function createObjectCaches(maxBytes: number): ObjectCaches {
  const objects = new SharedLru<RawObject>(maxBytes)
  const blocks = new SharedLru<Uint8Array>(maxBytes / 2, (bytes) => {
    objects.limit(maxBytes - bytes)
  })
  return {
    blocks,
    objects,
    packs: new KeptPacks(blocks),
    requests: new KnownRequests(),
  }
}
