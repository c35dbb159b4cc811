import { concatBytes } from '../bytes/concat.ts'
import type { IndexPackOptions, PackWithIndex } from '../pack/indexer/index-pack.ts'
import { WindowedIndexer } from '../pack/indexer/windowed-indexer.ts'

/** What is scanned between two turns of the host, at most. */
const STEP = 1 << 20

/**
 * Does what `indexPack` does, by the form of indexing that stored packs take: for programs that are to have that one only.
 *
 * @throws GitError `CORRUPT_PACK`, `MISSING_BASE`, `UNSUPPORTED`, `LIMIT_EXCEEDED`; what the visitor throws; the signal's reason
 */
export async function indexInWindows(
  pack: Uint8Array,
  options: Omit<IndexPackOptions, 'threads'>,
): Promise<PackWithIndex> {
  const { format, readBases, signal } = options
  const indexer = new WindowedIndexer({ ...options, memoryBytes: pack.length })
  for (let at = 0; at < pack.length; at += STEP) {
    signal?.throwIfAborted()
    const chunk = pack.subarray(at, at + STEP)
    indexer.push(chunk)
    await indexer.turn(chunk.length)
  }
  indexer.endScan()
  await indexer.resolve({
    size: pack.length,
    // Whoever reads these copies what it keeps.
    read: (ranges) =>
      Promise.resolve(ranges.map(({ offset, length }) => pack.subarray(offset, offset + length))),
  })
  const missing = indexer.missingBases()
  const bases = (await readBases?.(missing)) ?? []
  const entries: Uint8Array[] = []
  for (const [k, id] of missing.entries()) {
    const base = bases[k]
    if (base !== null && base !== undefined && indexer.isWanted(id)) {
      entries.push(await indexer.addBase(id, base))
    }
  }
  if (entries.length === 0) return { ...indexer.finish(), pieces: [pack] }
  indexer.assertResolved()
  const { hash, idLength } = format
  const whole = concatBytes([pack.subarray(0, -idLength), ...entries, new Uint8Array(idLength)])
  const end = whole.length - idLength
  const header = new DataView(whole.buffer)
  header.setUint32(8, header.getUint32(8) + entries.length)
  hash.digestRangeInto(whole, 0, end, whole, end)
  return { ...indexer.finish(whole.slice(end)), pieces: [whole] }
}
