import { stat } from 'node:fs/promises'
import { encodeHex } from '../../bytes/hex.ts'
import { hostMemoryBytes } from '../../hosts/node/host-memory.ts'
import { indexPack } from '../../pack/indexer/index-pack.ts'
import type { PackIndexing } from '../../pack/indexer/pack-indexing.ts'
import type { ProgressListener } from '../../pack/progress.ts'
import { misuse } from '../failure.ts'
import { writeOut } from '../output.ts'
import { loadPackFormat, type PackFormatOptions } from '../pack-format.ts'
import { createProgressBar } from '../progress-bar.ts'
import { openRangeReader, readWholeFile, writeWholeFile } from '../whole-file.ts'

export interface IndexPackOptions extends PackFormatOptions {
  readonly out?: string
  /** Bytes. */
  readonly memoryBudget?: number
  readonly threads: number
  readonly quiet: boolean
}

/** What indexing in memory takes for each byte of a pack: the pack, its deltas inflated, and objects on the way. */
const RESIDENT_FACTOR = 3

/** `packstone index-pack`: writes the index of a pack, and prints the checksum of the pack as git does. */
export async function indexPackCommand(file: string, options: IndexPackOptions): Promise<void> {
  const out = options.out ?? defaultIndexName(file)
  const progress = await createProgressBar(options)
  try {
    const { index, checksum } = await indexFile(file, options, progress.show)
    await writeWholeFile(out, index)
    progress.stop()
    await writeOut(encodeHex(checksum) + '\n')
  } finally {
    progress.stop()
  }
}

/** Indexes a pack in memory where the budget is large enough for that, and range by range where it is not. */
async function indexFile(
  file: string,
  options: IndexPackOptions,
  onProgress: ProgressListener,
): Promise<PackIndexing> {
  const indexing = { ...(await loadPackFormat(options)), onProgress }
  const memoryBytes = options.memoryBudget ?? hostMemoryBytes()
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  )
  if (RESIDENT_FACTOR * size <= memoryBytes) {
    if (options.threads === 1) return indexPack(await readWholeFile(file), indexing)
    const { createThreads } = await import('../../hosts/threads/index.ts')
    const { portable = false, collisionDetection = false } = options
    const provider = portable ? 'portable' : 'node'
    const threads = createThreads({ count: options.threads, provider, collisionDetection })
    try {
      return await indexPack(await readWholeFile(file, { shared: true }), { ...indexing, threads })
    } finally {
      await threads.close()
    }
  }
  const { indexStoredPack } = await import('../../pack/indexer/windowed-indexer.ts')
  const { keepHeapSmall } = await import('../../hosts/node/keep-heap-small.ts')
  const reader = await openRangeReader(file)
  try {
    return await indexStoredPack(reader, { ...indexing, memoryBytes, collectGarbage: keepHeapSmall() })
  } finally {
    await reader.close()
  }
}

function defaultIndexName(file: string): string {
  if (file.endsWith('.pack')) return file.slice(0, -'.pack'.length) + '.idx'
  throw misuse(`the name of '${file}' does not end in .pack; say with --out where its index goes`)
}
