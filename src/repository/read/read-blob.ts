import { GitError } from '../../errors.ts'
import { encodeObjectId } from '../../object/object-id.ts'
import { readObject } from '../../object/object-reader.ts'
import { BLOB, objectTypeName, type ObjectTypeName } from '../../object/object-type.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import type { PackFile } from '../../odb/pack-file.ts'
import { stateObject } from './read-typed.ts'

/** What is read and inflated at a time. */
const PIECE = 64 << 10

/** A blob that is there, its bytes not read yet. */
export interface OpenBlob {
  readonly kind: 'found'
  readonly size: number
  /**
   * The bytes in pieces that belong to the receiver. The view must stay open meanwhile. A blob that is stored whole takes no more memory
   * than a piece; one that is stored as a delta is put together first.
   */
  read(): AsyncGenerator<Uint8Array, void, undefined>
}

export type BlobLookup =
  OpenBlob | { readonly kind: 'absent' } | { readonly kind: 'wrong-type'; readonly type: ObjectTypeName }

/** Opens a blob for streaming. */
export async function openBlob(view: ObjectView, id: Uint8Array): Promise<BlobLookup> {
  const stated = await stateObject(view, id)
  if (stated === null) return { kind: 'absent' }
  if (stated.type !== BLOB) return { kind: 'wrong-type', type: objectTypeName(stated.type) }
  return { kind: 'found', size: stated.size, read: () => readBlobPieces(view, id, stated.size) }
}

async function* readBlobPieces(
  view: ObjectView,
  id: Uint8Array,
  size: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const location = size > PIECE ? view.locate(id) : undefined
  if (location !== undefined && (await view.pin(location.pack))) {
    const entry = await readEntry(location.pack, location.rank)
    if (entry.baseRank < 0) {
      yield* inflatePieces(view, location.pack, location.rank, entry.headerLength, size)
      return
    }
  }
  const object = await readObject(view, id)
  if (object === null) {
    const hex = encodeObjectId(id, 0, view.format)
    throw new GitError('MISSING_OBJECT', `blob ${hex} went away while it was read`, { details: { id: hex } })
  }
  for (let at = 0; at < size; at += PIECE) yield object.body.slice(at, at + PIECE)
}

async function readEntry(
  pack: PackFile,
  rank: number,
): Promise<{ readonly baseRank: number; readonly headerLength: number }> {
  for (;;) {
    const entry = pack.tryEntry(rank)
    if (entry !== undefined) return entry
    await pack.data.settle()
  }
}

async function* inflatePieces(
  view: ObjectView,
  pack: PackFile,
  rank: number,
  headerLength: number,
  size: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await pack.data.file()
  const offset = pack.index.offset(rank)
  const end = pack.entryEnd(pack.index.positionOf(offset))
  let ready: Uint8Array[] = []
  const inflate = view.codecs.inflate.stream((piece) => ready.push(piece.slice()), size)
  for (let at = offset + headerLength; at < end && !inflate.done; at += PIECE) {
    const [bytes] = await file.read([{ offset: at, length: Math.min(PIECE, end - at) }])
    if (bytes !== undefined) inflate.push(bytes)
    const pieces = ready
    ready = []
    yield* pieces
  }
  if (!inflate.done) {
    throw new GitError('CORRUPT_PACK', `object at offset ${offset} of ${pack.name} is cut short`, {
      details: { pack: pack.name, offset },
    })
  }
}
