import { yieldToHost } from '../../bytes/yield-to-host.ts'
import { isGitError } from '../../errors.ts'
import type { RawObject } from '../../object/object-reader.ts'
import { encodePackIndex } from '../encode-pack-index.ts'
import { PackIndex } from '../pack-index.ts'
import type { ProgressListener } from '../progress.ts'
import { ReachabilityBuilder } from '../reachability/reachability-builder.ts'
import type { PackIndexing } from './pack-indexing.ts'
import { ResidentIndexer, type ResidentIndexerOptions } from './resident-indexer.ts'
import { ShareOfResolution, type ResolverThreads } from './shared-resolution.ts'

/** Bytes of work between two turns of the host: some ten milliseconds. */
const TURN = 8 << 20

export interface IndexPackOptions extends Omit<ResidentIndexerOptions, 'reachability'> {
  /** Also write down what points at what, see {@link PackWithIndex.reachability}. */
  readonly reachability?: boolean
  /** Finds bases that a thin pack lacks: one answer per id, `null` for those that are absent. */
  readonly readBases?: (ids: readonly Uint8Array[]) => Promise<readonly (RawObject | null)[]>
  /**
   * Threads that resolve deltas together with this one, with the same result: `packstone/threads` makes them. Not used where every object
   * is to be seen (`visit`, `reachability`), nor for a pack with deltas that name their base by id.
   */
  readonly threads?: ResolverThreads
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
  const indexer = new ResidentIndexer(
    pack,
    builder === undefined ? indexing : { ...indexing, reachability: builder },
  )
  builder?.expect(indexer.declaredCount)
  while (!indexer.scan(TURN)) {
    onProgress?.({ phase: 'receiving', done: indexer.objectCount, total: indexer.declaredCount })
    await turn(signal)
  }
  const total = indexer.deltaCount
  const whole = indexer.objectCount - total
  if (threads !== undefined && total > 0) await resolveTogether(indexer, threads, total, options)
  while (!indexer.resolve(TURN)) {
    onProgress?.({ phase: 'resolving', done: indexer.resolvedCount - whole, total })
    await turn(signal)
  }
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

/** Resolves all deltas with several threads. When one fails nothing has happened: who resolves them in order finds the first error. */
async function resolveTogether(
  indexer: ResidentIndexer,
  threads: ResolverThreads,
  total: number,
  { codecs, objectHash, onProgress, signal }: IndexPackOptions,
): Promise<void> {
  const shared = indexer.share()
  if (shared === undefined) return
  const others = threads.resolve(shared)
  const own = new ShareOfResolution(shared, codecs, objectHash)
  let hasFailed = false
  try {
    while (!own.resolve(TURN)) {
      onProgress?.({ phase: 'resolving', done: own.resolvedCount, total })
      await turn(signal)
    }
  } catch (error) {
    if (!isGitError(error)) throw error
    hasFailed = true
  } finally {
    // Nobody takes another tree when this one stops early.
    Atomics.store(shared.taken, 0, shared.roots.length)
    hasFailed = !(await others) || hasFailed
  }
  if (!hasFailed) indexer.adopt(shared)
}

async function turn(signal: AbortSignal | undefined): Promise<void> {
  await yieldToHost()
  signal?.throwIfAborted()
}
