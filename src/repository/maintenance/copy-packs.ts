import { equalBytes } from '../../bytes/compare.ts'
import { encodeHex } from '../../bytes/hex.ts'
import { GitError } from '../../errors.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import { encodePackIndex } from '../../pack/encode-pack-index.ts'
import { PackIndex } from '../../pack/pack-index.ts'
import { joinReachability } from '../../pack/reachability/join-reachability.ts'
import type { Repository } from '../repository.ts'
import { writePieces, writeStaged } from '../write-staged.ts'
import { EntryCopier } from './entry-copier.ts'
import type { CopiedPack, JoinedRows } from './joined-rows.ts'
import type { MadePack, MakePackOptions } from './made-pack.ts'

export interface CopyPacksOptions extends Pick<MakePackOptions, 'signal' | 'onProgress'> {
  /** What is read of a pack at a time, in bytes. Default 1 MiB. */
  readonly pieceBytes?: number
}

/**
 * Writes one pack of the entries of several, and makes its index and its reachability file from theirs. No object is inflated or hashed: that
 * every entry is what was indexed once, its CRC-32 says. It takes as long as it takes to read, to check and to write so many bytes.
 *
 * @throws GitError `CORRUPT_PACK`, `CORRUPT_INDEX`, `STORAGE`; the signal's reason when aborted. Nothing is kept then.
 */
export async function copyPacks(
  { storage, format, codecs }: Repository,
  { packs, count }: JoinedRows,
  { signal, onProgress, pieceBytes = 1 << 20 }: CopyPacksOptions,
): Promise<MadePack> {
  for (const pack of packs) assertSound(pack, format)
  const copier = new EntryCopier(count, format, codecs.crc32, pieceBytes)
  let checksum: Uint8Array = new Uint8Array(0)
  let bytes = 0
  const pack = await writeStaged(storage, 'pack', async (writer) => {
    for (const part of packs) {
      for await (const chunk of copier.copy(part)) {
        await writer.write(chunk)
        bytes += chunk.length
        onProgress?.({ phase: 'writing', done: part.firstRow, total: count, bytes })
        signal.throwIfAborted()
      }
    }
    const last = copier.finish()
    for (const chunk of last.chunks) await writer.write(chunk)
    checksum = last.checksum
  })
  try {
    const { ids, crcs, offsets } = copier
    const index = encodePackIndex({ objectCount: count, ids, crcs, offsets }, checksum, format)
    const packIndex = new PackIndex(index, format.idLength)
    const reachability = joinReachability(packs, packIndex, format)
    const indexing = { index, packIndex, reachability, checksum }
    const staged = {
      name: `pack-${encodeHex(checksum)}`,
      pack,
      index: await writePieces(storage, 'idx', [index]),
    }
    return { staged, indexing }
  } catch (error) {
    await pack.discard()
    throw error
  }
}

/** Nothing is looked at but what the index says: it must be as it was written. */
function assertSound({ file, index }: CopiedPack, { hash, idLength }: ObjectFormat): void {
  const found = new Uint8Array(idLength)
  const { checksummed } = index
  hash.digestRangeInto(checksummed, 0, checksummed.length, found, 0)
  if (equalBytes(found, index.checksum)) return
  throw new GitError(
    'CORRUPT_INDEX',
    `the index of ${file.name} is damaged: its checksum is wrong; nothing was changed`,
    {
      details: { pack: file.name },
    },
  )
}
