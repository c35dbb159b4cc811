import type { Reservation } from '../bytes/memory-pool.ts'
import { concatBytes } from '../bytes/concat.ts'
import type { HashAlgorithm } from '../codec/ports.ts'
import { GitError } from '../errors.ts'
import { readObject, type RawObject } from '../object/object-reader.ts'
import type { ObjectDatabase } from '../odb/object-database.ts'
import type { ObjectView } from '../odb/object-view.ts'
import type { IndexerThreads } from '../pack/indexer/indexer-threads.ts'
import type { ObjectVisitor } from '../pack/indexer/object-intake.ts'
import { parsePackHeader } from '../pack/pack-header.ts'
import type { ProgressListener } from '../pack/progress.ts'
import { assertObjectCount } from './check-received.ts'
import { indexInWindows } from './index-in-windows.ts'
import { residentPack, storedPack, type ReceivedPack } from './received-pack.ts'
import type { RepositoryExtras } from './repository-extras.ts'
import { storePack } from './store-pack.ts'

/** What indexing in memory takes for each byte of a pack: its chunks, joined, its deltas inflated, and objects on the way. */
const RESIDENT_FACTOR = 4
/** What it takes with threads, which have the pack in memory of their own. */
const SHARED_FACTOR = RESIDENT_FACTOR + 1
/** Threads help with packs from this size in bytes on. */
const SHARED_FROM = 1 << 20
/** A receive begins with this part of the memory for work, and may grow to that one while nobody else asks. */
const FIRST_PART = 16
const LARGEST_PART = 2
/** Beyond this, more memory does not help the windowed form. */
const WINDOWED_BYTES = 32 << 20

export interface ReadReceivedOptions extends Pick<RepositoryExtras, 'indexPack'> {
  readonly signal?: AbortSignal
  readonly onProgress?: ProgressListener
  readonly maxPackBytes?: number
  readonly maxObjects?: number
  readonly maxObjectBytes?: number
  readonly objectHash?: HashAlgorithm
  readonly threads?: IndexerThreads
}

/**
 * Reads a pack to its end and indexes it: in memory while it fits what can be had of the budget, and from the storage otherwise.
 * `undefined` for a pack without objects.
 */
export async function readReceived(
  database: ObjectDatabase,
  view: ObjectView,
  source: AsyncIterable<Uint8Array>,
  options: ReadReceivedOptions,
  visit: ObjectVisitor | undefined,
): Promise<ReceivedPack | undefined> {
  const { format, codecs, storage } = database
  const { maxObjects, maxPackBytes, threads: helpers, indexPack = indexInWindows, ...given } = options
  const { signal } = given
  const indexing = { ...given, format, codecs, reachability: true, ...(visit === undefined ? {} : { visit }) }
  const { work } = database.memory
  const memory = await work.reserve(Math.floor(work.bytes / FIRST_PART), signal)
  let isHeld = false
  const chunks = limited(source, maxPackBytes ?? Number.MAX_SAFE_INTEGER)
  try {
    const factor = helpers === undefined ? RESIDENT_FACTOR : SHARED_FACTOR
    const start = await collect(chunks, memory, factor, Math.floor(work.bytes / LARGEST_PART))
    if (!start.isWhole) {
      memory.shrink(WINDOWED_BYTES)
      const stored = await storePack(storage, view, follow(start.chunks, chunks), {
        ...indexing,
        memoryBytes: memory.bytes,
        collectGarbage: database.memory.collectGarbage,
        onHeader: (count) => {
          assertObjectCount(count, maxObjects)
        },
      })
      return storedPack(database, stored)
    }
    const bytes = concatBytes(start.chunks.splice(0))
    if (maxObjects !== undefined) assertObjectCount(parsePackHeader(bytes), maxObjects)
    const readBases = (ids: readonly Uint8Array[]): Promise<(RawObject | null)[]> => readAll(view, ids)
    const threads = bytes.length < SHARED_FROM ? undefined : helpers
    // Of blobs only special files are checked, and those that were not seen are read when everything is there.
    const helped = threads === undefined ? {} : { threads, visitBlobs: false }
    const indexed = await indexPack(bytes, { ...indexing, ...helped, readBases })
    if (indexed.objectCount === 0) return undefined
    isHeld = true
    return residentPack(database, indexed, memory)
  } finally {
    if (!isHeld) memory.release()
    await chunks.return()
  }
}

/** Collects chunks while there is memory to index them in; the iteration goes on behind them. */
async function collect(
  source: AsyncGenerator<Uint8Array, void, undefined>,
  memory: Reservation,
  factor: number,
  most: number,
): Promise<{ readonly chunks: Uint8Array[]; readonly isWhole: boolean }> {
  const chunks: Uint8Array[] = []
  let total = 0
  for (;;) {
    const step = await source.next()
    if (step.done === true) return { chunks, isWhole: true }
    chunks.push(step.value)
    total += step.value.length
    const needed = factor * total
    if (needed <= memory.bytes) continue
    const wanted = Math.min(most, 2 * needed)
    if (wanted < needed || !memory.tryGrow(wanted)) return { chunks, isWhole: false }
  }
}

/** What was collected, each chunk let go as it is taken, then the rest. */
async function* follow(
  collected: Uint8Array[],
  rest: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let next = collected.shift(); next !== undefined; next = collected.shift()) yield next
  yield* rest
}

/** @throws GitError `LIMIT_EXCEEDED` as soon as more than `maxBytes` have come. */
async function* limited(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let total = 0
  for await (const chunk of source) {
    total += chunk.length
    if (total > maxBytes) {
      throw new GitError('LIMIT_EXCEEDED', `input exceeds maximum allowed size of ${maxBytes} bytes`, {
        details: { limit: 'bytes', maximum: maxBytes },
      })
    }
    if (chunk.length > 0) yield chunk
  }
}

async function readAll(view: ObjectView, ids: readonly Uint8Array[]): Promise<(RawObject | null)[]> {
  const objects: (RawObject | null)[] = []
  for (const id of ids) objects.push(await readObject(view, id))
  return objects
}
