import { stat } from 'node:fs/promises'
import { hostMemoryBytes } from '../hosts/node/host-memory.ts'
import { indexPack } from '../pack/indexer/index-pack.ts'
import type { PackIndexing } from '../pack/indexer/pack-indexing.ts'
import type { ProgressListener } from '../pack/progress.ts'
import type { Codecs, HashAlgorithm } from '../codec/ports.ts'
import type { ObjectFormat } from '../object/object-format.ts'
import { openRangeReader, readWholeFile } from './whole-file.ts'

export interface IndexFileOptions {
  readonly codecs: Codecs
  readonly format: ObjectFormat
  /** Names objects instead of the format's own hash. */
  readonly objectHash?: HashAlgorithm
  readonly onProgress?: ProgressListener
  /** Bytes; default: what fits the machine. */
  readonly memoryBudget?: number | undefined
  /** Threads that index together, and what their codecs are like. */
  readonly threads?: {
    readonly count: number
    readonly provider: 'node' | 'portable'
    readonly collisionDetection: boolean
  }
}

/** What indexing in memory takes for each byte of a pack: the pack, its deltas inflated, and objects on the way. */
const RESIDENT_FACTOR = 3

/**
 * Verifies a pack file and makes its index: in memory where the budget is large enough for that, and range by range where it is not.
 *
 * @throws GitError as `indexPack`, `STORAGE`
 */
export async function indexFile(path: string, options: IndexFileOptions): Promise<PackIndexing> {
  const { threads, memoryBudget, ...indexing } = options
  const memoryBytes = memoryBudget ?? hostMemoryBytes()
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  )
  if (RESIDENT_FACTOR * size > memoryBytes) return indexInPieces(path, indexing, memoryBytes)
  if (threads === undefined || threads.count === 1) return indexPack(await readWholeFile(path), indexing)
  const { createThreads } = await import('../hosts/threads/index.ts')
  const started = createThreads(threads)
  try {
    return await indexPack(await readWholeFile(path, { shared: true }), { ...indexing, threads: started })
  } finally {
    await started.close()
  }
}

async function indexInPieces(
  path: string,
  indexing: Pick<IndexFileOptions, 'codecs' | 'format' | 'objectHash' | 'onProgress'>,
  memoryBytes: number,
): Promise<PackIndexing> {
  const { indexStoredPack } = await import('../pack/indexer/windowed-indexer.ts')
  const { keepHeapSmall } = await import('../hosts/node/keep-heap-small.ts')
  const reader = await openRangeReader(path)
  try {
    return await indexStoredPack(reader, { ...indexing, memoryBytes, collectGarbage: keepHeapSmall() })
  } finally {
    await reader.close()
  }
}
