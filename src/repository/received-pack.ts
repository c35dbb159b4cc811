import type { Reservation } from '../bytes/memory-pool.ts'
import { concatBytes } from '../bytes/concat.ts'
import { encodeHex } from '../bytes/hex.ts'
import { CachedFile } from '../odb/cached-file.ts'
import type { ObjectDatabase } from '../odb/object-database.ts'
import type { PackData } from '../odb/pack-data.ts'
import { PackFile } from '../odb/pack-file.ts'
import { ResidentPackData } from '../odb/resident-pack-data.ts'
import type { PackWithIndex } from '../pack/indexer/index-pack.ts'
import type { PackIndexing } from '../pack/indexer/pack-indexing.ts'
import { PackReachability } from '../pack/reachability/pack-reachability.ts'
import type { NewPack } from '../storage/repository-storage.ts'
import type { StoredPack } from './store-pack.ts'
import { readPieces, writePieces } from './write-staged.ts'

/** A pack that was received and verified, in memory or in a staged file. */
export interface ReceivedPack {
  readonly indexing: PackIndexing
  /** Reads its objects. Closed by whoever closes the last view of it, or by `discard`. */
  readonly file: PackFile
  /** The pack's bytes in pieces, not to be written to. */
  read(): AsyncIterable<Uint8Array>
  /** Stages what is not staged yet, for a commit. */
  stage(): Promise<NewPack>
  /** Gives up what a commit has not taken. Idempotent. */
  discard(): Promise<void>
}

/** A pack in memory, which `memory` is held for. */
export function residentPack(
  database: ObjectDatabase,
  indexing: PackWithIndex,
  memory: Reservation,
): ReceivedPack {
  const { storage } = database
  const bytes = concatBytes(indexing.pieces)
  const file = openPack(database, indexing, new ResidentPackData(bytes))
  return {
    indexing,
    file,
    // eslint-disable-next-line @typescript-eslint/require-await -- what is in memory need not be waited for
    read: async function* () {
      yield bytes
    },
    stage: async () => {
      const pack = await writePieces(storage, 'pack', [bytes])
      try {
        return { name: file.name, pack, index: await writePieces(storage, 'idx', [indexing.index]) }
      } catch (error) {
        await pack.discard()
        throw error
      }
    },
    discard: async () => {
      await file.close()
      memory.release()
    },
  }
}

/** A pack that is stored already. */
export function storedPack(database: ObjectDatabase, { staged, ...indexing }: StoredPack): ReceivedPack {
  const { storage, memory } = database
  // The file is closed when it is discarded, not by its readers.
  const open = { size: staged.size, read: staged.read.bind(staged), close: () => Promise.resolve() }
  const data = new CachedFile(staged.size, () => Promise.resolve(open), memory.caches.blocks)
  const file = openPack(database, indexing, data)
  return {
    indexing,
    file,
    read: () => readPieces(staged),
    stage: async () => ({
      name: file.name,
      pack: staged,
      index: await writePieces(storage, 'idx', [indexing.index]),
    }),
    discard: async () => {
      await file.close()
      await staged.close()
      await staged.discard()
    },
  }
}

function openPack(database: ObjectDatabase, indexing: PackIndexing, data: PackData): PackFile {
  const { format, codecs, memory } = database
  const { packIndex, reachability, checksum, objectCount } = indexing
  const name = `pack-${encodeHex(checksum)}`
  const written =
    reachability === undefined ? undefined : new PackReachability(reachability, checksum, objectCount, format)
  return new PackFile(name, packIndex, data, codecs, memory.caches.objects, written)
}
