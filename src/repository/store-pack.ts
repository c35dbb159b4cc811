import type { ObjectFormat } from '../object/object-format.ts'
import { readObject } from '../object/object-reader.ts'
import type { ObjectView } from '../odb/object-view.ts'
import type { PackIndexing } from '../pack/indexer/pack-indexing.ts'
import { WindowedIndexer, type WindowedIndexOptions } from '../pack/indexer/windowed-indexer.ts'
import { PACK_HEADER_LENGTH } from '../pack/pack-header.ts'
import type { RepositoryStorage } from '../storage/repository-storage.ts'
import type { StagedFile } from '../storage/stored-file.ts'
import { readPieces, writeStaged } from './write-staged.ts'

/** A pack that is stored, complete and indexed, and that nobody else sees yet. */
export interface StoredPack extends PackIndexing {
  readonly staged: StagedFile
}

/**
 * Stores a pack as it comes, and indexes it from there; memory does not grow with its size. A thin pack is completed.
 *
 * @param view where bases of a thin pack are looked for.
 * @throws GitError as indexing does, `STORAGE`; what the source throws; the signal's reason. Nothing is kept.
 */
export async function storePack(
  storage: RepositoryStorage,
  view: ObjectView,
  source: AsyncIterable<Uint8Array>,
  options: WindowedIndexOptions,
): Promise<StoredPack> {
  const indexer = new WindowedIndexer(options)
  const staged = await writeStaged(storage, 'pack', async (writer) => {
    for await (const chunk of source) {
      options.signal?.throwIfAborted()
      // The disk works while the chunk is looked at.
      const written = writer.write(chunk)
      try {
        indexer.push(chunk)
      } finally {
        await written
      }
      await indexer.turn(chunk.length)
    }
    indexer.endScan()
  })
  try {
    await indexer.resolve(staged)
    if (indexer.missingBases().length === 0) return { ...indexer.finish(), staged }
    const completed = await completePack(storage, view, staged, indexer, options.format)
    await staged.discard()
    return completed
  } catch (error) {
    await staged.discard()
    throw error
  }
}

/**
 * Completes a thin pack with the bases it lacks, as a new file: the number of objects stands at its beginning, so that the checksum at
 * its end is over other bytes from the first on, and all of it has to be read again in any case.
 */
async function completePack(
  storage: RepositoryStorage,
  view: ObjectView,
  thin: StagedFile,
  indexer: WindowedIndexer,
  format: ObjectFormat,
): Promise<StoredPack> {
  let addedCount = 0
  // How many bases it takes is known only at the end: their entries wait in a file of their own.
  const bases = await writeStaged(storage, 'pack', async (writer) => {
    for (const id of indexer.missingBases()) {
      if (!indexer.isWanted(id)) continue
      const base = await readObject(view, id)
      if (base === null) continue
      await writer.write(await indexer.addBase(id, base))
      addedCount++
    }
    indexer.assertResolved()
  })
  try {
    const hash = format.hash.create()
    const checksum = new Uint8Array(format.idLength)
    const staged = await writeStaged(storage, 'pack', async (writer) => {
      const write = async (piece: Uint8Array): Promise<void> => {
        hash.update(piece)
        await writer.write(piece)
      }
      const [head] = await thin.read([{ offset: 0, length: PACK_HEADER_LENGTH }])
      if (head !== undefined) {
        const view = new DataView(head.buffer, head.byteOffset)
        view.setUint32(8, view.getUint32(8) + addedCount)
        await write(head)
      }
      const entriesEnd = thin.size - format.idLength
      for await (const piece of readPieces(thin, PACK_HEADER_LENGTH, entriesEnd)) await write(piece)
      for await (const piece of readPieces(bases)) await write(piece)
      hash.digestInto(checksum, 0)
      await writer.write(checksum)
    })
    return { ...indexer.finish(checksum), staged }
  } finally {
    await bases.discard()
  }
}
