import type { PackFileKind, RepositoryStorage } from '../storage/repository-storage.ts'
import type { FileWriter, StagedFile, StoredFile } from '../storage/stored-file.ts'

/** What is read or written in one call to the storage. */
const PIECE = 1 << 20

/** Writes a file to the storage, where nobody sees it yet; what is written before a failure is dropped. */
export async function writeStaged(
  storage: RepositoryStorage,
  kind: PackFileKind,
  write: (writer: FileWriter) => Promise<void>,
): Promise<StagedFile> {
  const writer = await storage.createFile(kind)
  try {
    await write(writer)
    return await writer.finish()
  } catch (error) {
    await writer.discard()
    throw error
  }
}

/** Writes arrays of any size, one behind the other. */
export function writePieces(
  storage: RepositoryStorage,
  kind: PackFileKind,
  pieces: readonly Uint8Array[],
): Promise<StagedFile> {
  return writeStaged(storage, kind, async (writer) => {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length; at += PIECE) await writer.write(piece.subarray(at, at + PIECE))
    }
  })
}

/** Reads `[from, to)` of a file in pieces. */
export async function* readPieces(
  file: StoredFile,
  from = 0,
  to = file.size,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let offset = from; offset < to; offset += PIECE) {
    const [piece] = await file.read([{ offset, length: Math.min(PIECE, to - offset) }])
    if (piece !== undefined) yield piece
  }
}
