import { yieldToHost } from '../../bytes/yield-to-host.ts'
import type { RawObject } from '../../object/object-reader.ts'
import { encodePackIndex } from '../encode-pack-index.ts'
import { PackIndex } from '../pack-index.ts'
import type { ProgressListener } from '../progress.ts'
import { ReachabilityBuilder } from '../reachability/reachability-builder.ts'
import type { IndexerThreads } from './indexer-threads.ts'
import type { PackIndexing } from './pack-indexing.ts'
import { ResidentIndexer, type ResidentIndexerOptions } from './resident-indexer.ts'

/** Bytes of work between two turns of the host: some ten milliseconds. */
const TURN = 8 << 20

export interface IndexPackOptions extends Omit<ResidentIndexerOptions, 'reachability' | 'isShared'> {
  /** Also write down what points at what, see {@link PackWithIndex.reachability}. */
  readonly reachability?: boolean
  /** Finds bases that a thin pack lacks: one answer per id, `null` for those that are absent. */
  readonly readBases?: (ids: readonly Uint8Array[]) => Promise<readonly (RawObject | null)[]>
  /**
   * Threads that read entries and resolve deltas together with this one, with the same result: `packstone/threads` makes them. Objects
   * that somebody wants to see (`visit`, and `reachability` of all but blobs) stay with this one. The pack is copied unless it is in
   * shared memory already.
   */
  readonly threads?: IndexerThreads
  readonly onProgress?: ProgressListener
  readonly signal?: AbortSignal
}

/** A verified pack with its index. */
export interface PackWithIndex extends PackIndexing {
  /** The pack file, in pieces. The first may be the very array that was given. */
  readonly pieces: readonly Uint8Array[]
}

/**
 * Verifies a pack that is in memory and builds its index; a thin pack is completed from `readBases`.
 *
 * @throws GitError `CORRUPT_PACK`, `MISSING_BASE`, `UNSUPPORTED`, `LIMIT_EXCEEDED`; what the visitor throws; the signal's reason
 */
export async function indexPack(pack: Uint8Array, options: IndexPackOptions): Promise<PackWithIndex> {
  const { signal, onProgress, format } = options
  const { reachability, threads, ...indexing } = options
  const builder = reachability === true ? new ReachabilityBuilder(format) : undefined
  const indexer = new ResidentIndexer(pack, {
    ...indexing,
    ...(builder === undefined ? {} : { reachability: builder }),
    isShared: threads !== undefined,
  })
  builder?.expect(indexer.declaredCount)
  const turn = async (): Promise<void> => {
    await yieldToHost()
    signal?.throwIfAborted()
  }
  const received = (): Promise<void> => {
    onProgress?.({ phase: 'receiving', done: indexer.objectCount, total: indexer.declaredCount })
    return turn()
  }
  const resolved = (elsewhere = 0): Promise<void> => {
    const whole = indexer.objectCount - indexer.deltaCount
    const done = indexer.resolvedCount - whole + elsewhere
    onProgress?.({ phase: 'resolving', done, total: indexer.deltaCount })
    return turn()
  }
  if (threads !== undefined) await threads.scanTogether(indexer, threads, TURN, received)
  while (!indexer.scan(TURN)) await received()
  const total = indexer.deltaCount
  if (threads !== undefined && total > 0) {
    const { codecs, objectHash } = options
    await threads.resolveTogether(indexer, threads, { codecs, objectHash, turnBytes: TURN, turn: resolved })
  }
  while (!indexer.resolve(TURN)) await resolved()
  const declared = indexer.objectCount
  const missing = indexer.missingBases()
  if (missing.length > 0 && options.readBases !== undefined) {
    const bases = await options.readBases(missing)
    missing.forEach((id, k) => {
      const base = bases[k]
      if (base !== null && base !== undefined) indexer.addBase(id, base.type, base.body)
    })
  }
  const { table, pieces, checksum } = indexer.finish()
  if (total > 0) onProgress?.({ phase: 'resolving', done: total, total })
  const columns = { objectCount: table.count, ids: table.ids, crcs: table.crcs, offsets: table.offsets }
  const index = encodePackIndex(columns, checksum, format)
  const packIndex = new PackIndex(index, format.idLength)
  return {
    objectCount: table.count,
    deltaCount: total,
    addedCount: table.count - declared,
    pieces,
    index,
    packIndex,
    reachability: builder?.encode(packIndex),
    checksum,
  }
}
