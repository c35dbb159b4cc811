import { DeltaIndex } from '../../delta/delta-index.ts'
import { DeltaTarget } from '../../delta/delta-target.ts'
import { encodeDelta, maxDeltaSize } from '../../delta/encode-delta.ts'
import { GitError } from '../../errors.ts'
import type { NamedEnumeration } from '../../graph/enumerate-named.ts'
import type { ObjectType } from '../../object/object-type.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import type { PackFile } from '../../odb/pack-file.ts'
import type { DeflatedEntries } from '../../pack/delta-search/deflated-entries.ts'
import type { ChosenDeltas } from '../../pack/delta-search/delta-search.ts'
import {
  encodeBaseDistance,
  encodeEntryHeader,
  MAX_ENTRY_HEADER,
  OFS_DELTA,
} from '../../pack/entry-header.ts'
import { encodePackHeader, PACK_HEADER_LENGTH } from '../../pack/pack-header.ts'
import { PackOutput } from '../../pack/pack-output.ts'
import type { StoredEntries } from './stored-entries.ts'

/** Stored entries longer than this are read piece by piece, past the cache. */
const LARGE_ENTRY = 1 << 20

/** Everything that is decided about a pack. */
export interface DecidedPack {
  readonly view: ObjectView
  readonly enumeration: NamedEnumeration
  readonly stored: StoredEntries
  readonly chosen: ChosenDeltas
  /** 1 where the chosen delta is the stored one. */
  readonly isReused: Uint8Array
  readonly deflated: DeflatedEntries
  /** Ordinals, bases in front of their deltas. */
  readonly order: Uint32Array
  /** Copy objects that are stored whole. */
  readonly reuseObjects: boolean
}

export interface WriteEntriesOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, bytes: number) => void
}

/**
 * Writes a pack, header to trailer, deltas as ofs-deltas. Chunks belong to the receiver.
 *
 * @throws GitError `MISSING_OBJECT`, `CORRUPT_PACK`, `STORAGE`; the signal's reason when aborted
 */
export async function* writeEntries(
  pack: DecidedPack,
  options: WriteEntriesOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { view, stored, order, isReused, deflated, enumeration } = pack
  const { signal, onProgress } = options
  const output = new PackOutput(view.format)
  const writtenAt = new Float64Array(order.length)
  const header = new Uint8Array(MAX_ENTRY_HEADER)

  output.append(encodePackHeader(order.length), 0, PACK_HEADER_LENGTH)
  for (let position = 0; position < order.length; position++) {
    const ordinal = order[position]!
    const base = pack.chosen.bases[ordinal]!
    const reused = isReused[ordinal] === 1
    const offset = output.total
    writtenAt[ordinal] = offset
    let headerEnd: number
    if (base >= 0) {
      const size = reused ? stored.entrySizes[ordinal]! : pack.chosen.deltaSizes[ordinal]!
      headerEnd = encodeEntryHeader(OFS_DELTA, size, header, 0)
      headerEnd = encodeBaseDistance(offset - writtenAt[base]!, header, headerEnd)
    } else {
      const type = enumeration.types[ordinal] as ObjectType
      headerEnd = encodeEntryHeader(type, stored.sizes[ordinal]!, header, 0)
    }
    output.append(header, 0, headerEnd)

    if (reused || (base < 0 && pack.reuseObjects && stored.storedWhole[ordinal] === 1)) {
      const file = stored.files[stored.packs[ordinal]!]!
      const entryAt = file.index.offset(stored.ranks[ordinal]!)
      const end = file.entryEnd(file.index.positionOf(entryAt))
      const dataAt = entryAt + stored.headerLengths[ordinal]!
      if (end - dataAt > LARGE_ENTRY) {
        for await (const piece of readPieces(file, dataAt, end)) {
          output.appendOwned(piece)
          yield* output.ready.splice(0)
        }
      } else {
        while (!file.data.tryWindow(dataAt, end - dataAt)) await file.data.settle()
        const from = file.data.windowAt
        output.append(file.data.window, from, from + end - dataAt)
      }
    } else {
      const bytes =
        deflated.get(ordinal) ?? tryDeflateWhole(pack, ordinal) ?? (await deflateEntry(pack, ordinal))
      output.append(bytes, 0, bytes.length)
    }
    if (output.ready.length > 0) {
      signal?.throwIfAborted()
      onProgress?.(position + 1, output.total)
      yield* output.ready.splice(0)
    }
  }
  output.finish()
  onProgress?.(order.length, output.total)
  yield* output.ready.splice(0)
}

/** The entry of an object that is stored whole and resident: most of those that took no part in the search, because they are small. */
function tryDeflateWhole({ chosen, stored, view }: DecidedPack, ordinal: number): Uint8Array | undefined {
  if (chosen.bases[ordinal]! >= 0) return undefined
  const body = stored.tryBody(ordinal)
  return body === undefined ? undefined : view.codecs.deflate.deflate(body)
}

/** Makes an entry that was not kept from the search, or took no part in it. */
async function deflateEntry(pack: DecidedPack, ordinal: number): Promise<Uint8Array> {
  const { stored, chosen, view } = pack
  const { deflate } = view.codecs
  const base = chosen.bases[ordinal]!
  const body = await stored.readBody(ordinal)
  if (base < 0) return deflate.deflate(body)
  const index = new DeltaIndex()
  const target = new DeltaTarget()
  index.reset(await stored.readBody(base))
  target.reset(body)
  // The encoder makes the same delta under every limit, so with none it makes the one that was chosen.
  const delta = new Uint8Array(maxDeltaSize(body.length))
  const size = encodeDelta(index, target, delta, 0, delta.length)
  if (size === undefined || size !== chosen.deltaSizes[ordinal]) {
    throw new GitError('CORRUPT_OBJECT', 'an object changed while it was packed')
  }
  return deflate.deflate(delta, 0, size)
}

async function* readPieces(file: PackFile, from: number, to: number): AsyncGenerator<Uint8Array> {
  const stored = await file.data.file()
  for (let offset = from; offset < to; offset += LARGE_ENTRY) {
    const [piece] = await stored.read([{ offset, length: Math.min(LARGE_ENTRY, to - offset) }])
    if (piece !== undefined) yield piece
  }
}
