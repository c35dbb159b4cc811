import { GitError } from '../errors.ts'
import type { Enumeration } from '../graph/enumerate-objects.ts'
import { encodeObjectId } from '../object/object-id.ts'
import { readObject } from '../object/object-reader.ts'
import type { ObjectType } from '../object/object-type.ts'
import type { ObjectView } from '../odb/object-view.ts'
import {
  encodeBaseDistance,
  encodeEntryHeader,
  MAX_ENTRY_HEADER,
  OFS_DELTA,
  REF_DELTA,
} from '../pack/entry-header.ts'
import { encodePackHeader, PACK_HEADER_LENGTH } from '../pack/pack-header.ts'
import { COPY_THIN, COPY_WHOLE, DEFLATE, type PackSelection } from './pack-selection.ts'

/** Output is handed on in chunks of this size. */
const CHUNK = 64 << 10
/** Stored entries longer than this are read piece by piece, past the cache. */
const LARGE_ENTRY = 1 << 20

export interface WriteSelectionOptions {
  /** Write deltas on objects of the same pack as ofs-deltas; as ref-deltas otherwise. */
  readonly ofsDelta: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, bytes: number) => void
}

/**
 * Writes the pack of a selection: stored bytes are copied as they are, with new headers where the place of a base changed.
 *
 * A delta whose base was not written yet becomes a ref-delta. Chunks belong to the receiver.
 *
 * @throws GitError `MISSING_OBJECT`, `CORRUPT_PACK`, `STORAGE`; the signal's reason when aborted
 */
export async function* writeSelection(
  view: ObjectView,
  enumeration: Enumeration,
  selection: PackSelection,
  options: WriteSelectionOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { objects, types } = enumeration
  const { signal, onProgress } = options
  const { format } = view
  const hash = format.hash.create()
  const writtenAt = new Float64Array(objects.size)
  const header = new Uint8Array(MAX_ENTRY_HEADER)
  let chunk = new Uint8Array(CHUNK)
  let filled = 0
  let total = 0

  /** Appends what fits to the chunk; returns how much. */
  const append = (bytes: Uint8Array, from: number, to: number): number => {
    const length = Math.min(to - from, CHUNK - filled)
    if (length > 0) {
      chunk.set(bytes.subarray(from, from + length), filled)
      filled += length
      total += length
    }
    return length
  }
  const take = (): Uint8Array => {
    const full = filled === CHUNK ? chunk : chunk.slice(0, filled)
    hash.update(full)
    if (filled === CHUNK) chunk = new Uint8Array(CHUNK)
    filled = 0
    return full
  }
  /** Where the header of the entry about to be written ends in `header`. */
  const putHeader = (ordinal: number): number => {
    const action = selection.action[ordinal]!
    const size = selection.size[ordinal]!
    if (action === COPY_WHOLE) return encodeEntryHeader(types[ordinal]!, size, header, 0)
    if (action === COPY_THIN) {
      const at = encodeEntryHeader(REF_DELTA, size, header, 0)
      header.set(selection.packs[selection.pack[ordinal]!]!.index.id(selection.base[ordinal]!), at)
      return at + format.idLength
    }
    const base = selection.base[ordinal]!
    if (options.ofsDelta && writtenAt[base]! > 0) {
      const at = encodeEntryHeader(OFS_DELTA, size, header, 0)
      return encodeBaseDistance(total - writtenAt[base]!, header, at)
    }
    const at = encodeEntryHeader(REF_DELTA, size, header, 0)
    header.set(objects.view(base), at)
    return at + format.idLength
  }

  append(encodePackHeader(objects.size), 0, PACK_HEADER_LENGTH)
  for (let position = 0; position < objects.size; position++) {
    const ordinal = selection.order[position]!
    signal?.throwIfAborted()
    let pieces: AsyncIterable<Uint8Array> | undefined
    let bytes: Uint8Array = header
    let from = 0
    let to = 0
    let headerEnd: number
    if (selection.action[ordinal] === DEFLATE) {
      bytes = await deflateObject(view, objects.id(ordinal), types[ordinal]!, selection.size, ordinal)
      to = bytes.length
      headerEnd = encodeEntryHeader(types[ordinal]!, selection.size[ordinal]!, header, 0)
    } else {
      const file = selection.packs[selection.pack[ordinal]!]!
      const offset = file.index.offset(selection.rank[ordinal]!)
      const end = file.entryEnd(file.index.positionOf(offset))
      const dataAt = offset + selection.headerLength[ordinal]!
      headerEnd = putHeader(ordinal)
      if (end - dataAt > LARGE_ENTRY) {
        pieces = readPieces(file, dataAt, end)
      } else {
        while (!file.data.tryWindow(dataAt, end - dataAt)) await file.data.settle()
        bytes = file.data.window
        from = file.data.windowAt
        to = from + end - dataAt
      }
    }
    writtenAt[ordinal] = total
    for (let at = 0; at < headerEnd;) {
      at += append(header, at, headerEnd)
      if (filled === CHUNK) yield take()
    }
    while (from < to) {
      from += append(bytes, from, to)
      if (filled === CHUNK) yield take()
    }
    if (pieces !== undefined) {
      for await (const piece of pieces) {
        for (let at = 0; at < piece.length;) {
          at += append(piece, at, piece.length)
          if (filled === CHUNK) yield take()
        }
      }
    }
    onProgress?.(position + 1, total)
  }
  if (filled > 0) yield take()
  const trailer = new Uint8Array(format.idLength)
  hash.digestInto(trailer, 0)
  yield trailer
}

async function* readPieces(
  file: PackSelection['packs'][number],
  from: number,
  to: number,
): AsyncGenerator<Uint8Array> {
  const stored = await file.data.file()
  for (let offset = from; offset < to; offset += LARGE_ENTRY) {
    const [piece] = await stored.read([{ offset, length: Math.min(LARGE_ENTRY, to - offset) }])
    if (piece !== undefined) yield piece
  }
}

/** Reads an object and deflates it; its inflated size goes to `sizes[ordinal]`. */
async function deflateObject(
  view: ObjectView,
  id: Uint8Array,
  type: ObjectType,
  sizes: Float64Array,
  ordinal: number,
): Promise<Uint8Array> {
  const object = await readObject(view, id)
  const hex = encodeObjectId(id, 0, view.format)
  if (object === null)
    throw new GitError('MISSING_OBJECT', `object ${hex} is missing`, { details: { id: hex } })
  if (object.type !== type)
    throw new GitError('CORRUPT_OBJECT', `object ${hex} is not of the type it is named as`)
  sizes[ordinal] = object.body.length
  return view.codecs.deflate.deflate(object.body)
}
