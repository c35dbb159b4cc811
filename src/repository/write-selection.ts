import { GitError } from '../errors.ts'
import type { Enumeration } from '../graph/enumerate-objects.ts'
import { encodeObjectId } from '../object/object-id.ts'
import { readObject } from '../object/object-reader.ts'
import type { ObjectView } from '../odb/object-view.ts'
import type { PackFile, StoredEntry } from '../odb/pack-file.ts'
import {
  encodeBaseDistance,
  encodeEntryHeader,
  MAX_ENTRY_HEADER,
  OFS_DELTA,
  REF_DELTA,
} from '../pack/entry-header.ts'
import { encodePackHeader, PACK_HEADER_LENGTH } from '../pack/pack-header.ts'
import { PackOutput, type OutputFraming } from '../pack/pack-output.ts'
import {
  COPY,
  COPY_DELTA,
  DEFLATE,
  SKIP,
  type MadeEntry,
  type PackSelection,
  type SelectedPack,
} from './pack-selection.ts'

/** Stored bytes are read in pieces of this size at most. */
const READ_SIZE = 1 << 20
/** Ranges up to this size are copied through the cache. */
const SHORT = 256 << 10

export interface WriteSelectionOptions {
  /** Write deltas on objects of the same pack as ofs-deltas; as ref-deltas otherwise. */
  readonly ofsDelta: boolean
  /** Wrap the pack in frames. */
  readonly framing?: OutputFraming
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, bytes: number) => void
}

/**
 * Writes the pack of a selection. Neighbouring entries that need no new header are copied as one range of the stored pack.
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
  const output = new PackOutput(view.format, options.framing)
  let done = 0
  const report = (count: number): void => {
    options.signal?.throwIfAborted()
    done += count
    options.onProgress?.(done, output.total)
  }
  output.append(encodePackHeader(selection.objectCount), 0, PACK_HEADER_LENGTH)
  const written = new WrittenOffsets(options.ofsDelta)
  for (const [number, pack] of selection.packs.entries()) {
    const writtenAt = written.begin(number, pack.actions.length, selection.objectCount)
    yield* writePack(view, pack, output, writtenAt, written, report)
  }
  for (const ordinal of selection.unpacked) {
    written.noteUnpacked(ordinal, output.total)
    const made = selection.madeUnpacked?.get(ordinal)
    if (made === undefined) await deflateObject(view, enumeration.objects.id(ordinal), output)
    else writeMade(made, written, output)
    yield* output.ready.splice(0)
    report(1)
  }
  output.finish()
  yield* output.ready
}

async function* writePack(
  view: ObjectView,
  { file, actions, bases, made }: SelectedPack,
  output: PackOutput,
  writtenAt: OffsetColumn,
  written: WrittenOffsets,
  report: (count: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { index } = file
  const offsets = index.sortedOffsets
  const { ofsDelta } = written
  const header = new Uint8Array(MAX_ENTRY_HEADER)
  /** A range of the stored pack that is to be copied as it is, and was not yet. */
  let runStart = 0
  let runEnd = 0
  let unreported = 0
  for (let position = 0; position < actions.length; position++) {
    const action = actions[position]!
    if (action === SKIP) continue
    const offset = offsets[position]!
    const end = file.entryEnd(position)
    const base = bases[position]!
    const at = output.total + runEnd - runStart
    writtenAt.set(position, at)
    unreported++
    const entryMade = made?.get(position)
    const asOfsDelta = action === COPY_DELTA && ofsDelta && writtenAt.get(base) > 0
    const asStored =
      entryMade === undefined &&
      (action === COPY || (asOfsDelta && at - writtenAt.get(base) === offset - offsets[base]!))
    if (asStored && runEnd === offset && runEnd - runStart < READ_SIZE) {
      runEnd = end
      continue
    }
    if (!tryCopy(file, runStart, runEnd, output)) yield* copyRange(file, runStart, runEnd, output)
    runStart = asStored ? offset : 0
    runEnd = asStored ? end : 0
    if (entryMade !== undefined) {
      writeMade(entryMade, written, output)
    } else if (action === DEFLATE) {
      await deflateObject(view, index.id(index.packOrder[position]!), output)
    } else if (!asStored) {
      const entry = await readEntry(file, index.packOrder[position]!)
      const headerEnd = asOfsDelta
        ? encodeBaseDistance(
            at - writtenAt.get(base),
            header,
            encodeEntryHeader(OFS_DELTA, entry.size, header, 0),
          )
        : encodeRefDeltaHeader(entry.size, index.id(index.packOrder[base]!), header)
      output.append(header, 0, headerEnd)
      const from = offset + entry.headerLength
      if (!tryCopy(file, from, end, output)) yield* copyRange(file, from, end, output)
    }
    if (output.ready.length > 0) yield* output.ready.splice(0)
    report(unreported)
    unreported = 0
  }
  yield* copyRange(file, runStart, runEnd, output)
  report(unreported)
}

/** How many times more objects a pack has than are sent of it, for a column of its own to be wasteful. */
const SPARSE = 16

/** Offsets by position, 0 for what was not written yet. */
class OffsetColumn {
  readonly #dense: Float64Array | undefined
  readonly #sparse = new Map<number, number>()

  constructor(count: number, sent: number) {
    this.#dense = count > SPARSE * sent ? undefined : new Float64Array(count)
  }

  get(position: number): number {
    return (this.#dense === undefined ? this.#sparse.get(position) : this.#dense[position]) ?? 0
  }

  set(position: number, offset: number): void {
    if (this.#dense === undefined) this.#sparse.set(position, offset)
    else this.#dense[position] = offset
  }
}

/** Where objects were written: an ofs-delta needs its base in front of it. */
class WrittenOffsets {
  readonly ofsDelta: boolean
  readonly #packs: OffsetColumn[] = []
  readonly #unpacked = new Map<number, number>()

  constructor(ofsDelta: boolean) {
    this.ofsDelta = ofsDelta
  }

  /** The column of a pack of `count` objects, of which at most `sent` are sent; to be filled by who writes it. */
  begin(pack: number, count: number, sent: number): OffsetColumn {
    return (this.#packs[pack] = new OffsetColumn(count, sent))
  }

  noteUnpacked(ordinal: number, offset: number): void {
    this.#unpacked.set(ordinal, offset)
  }

  /** The offset of a base that an ofs-delta may name, 0 when none may. */
  ofBase({ sent }: NonNullable<MadeEntry['base']>): number {
    if (sent === undefined || !this.ofsDelta) return 0
    return (
      (sent.pack < 0 ? this.#unpacked.get(sent.position) : this.#packs[sent.pack]?.get(sent.position)) ?? 0
    )
  }
}

function writeMade({ type, size, data, base }: MadeEntry, written: WrittenOffsets, output: PackOutput): void {
  const header = new Uint8Array(MAX_ENTRY_HEADER)
  const baseAt = base === undefined ? 0 : written.ofBase(base)
  let headerEnd: number
  if (base === undefined) headerEnd = encodeEntryHeader(type, size, header, 0)
  else if (baseAt === 0) headerEnd = encodeRefDeltaHeader(size, base.id, header)
  else
    headerEnd = encodeBaseDistance(
      output.total - baseAt,
      header,
      encodeEntryHeader(OFS_DELTA, size, header, 0),
    )
  output.append(header, 0, headerEnd)
  output.append(data, 0, data.length)
}

function encodeRefDeltaHeader(size: number, base: Uint8Array, out: Uint8Array): number {
  const at = encodeEntryHeader(REF_DELTA, size, out, 0)
  out.set(base, at)
  return at + base.length
}

/** Copies a short range if it is resident. */
function tryCopy({ data }: PackFile, from: number, to: number, output: PackOutput): boolean {
  if (from === to) return true
  if (to - from > SHORT || !data.tryWindow(from, to - from)) return false
  output.append(data.window, data.windowAt, data.windowAt + to - from)
  return true
}

/** Copies a range: a short one through the cache, where its neighbours are needed next; a long one past it. */
async function* copyRange(
  file: PackFile,
  from: number,
  to: number,
  output: PackOutput,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (to - from <= SHORT) {
    while (!tryCopy(file, from, to, output)) await file.data.settle()
  } else {
    const stored = await file.data.file()
    for (let offset = from; offset < to; offset += READ_SIZE) {
      const [piece] = await stored.read([{ offset, length: Math.min(READ_SIZE, to - offset) }])
      if (piece !== undefined) output.appendOwned(piece)
      yield* output.ready.splice(0)
    }
  }
  yield* output.ready.splice(0)
}

async function readEntry(file: PackFile, rank: number): Promise<StoredEntry> {
  for (;;) {
    const entry = file.tryEntry(rank)
    if (entry !== undefined) return entry
    await file.data.settle()
  }
}

/** Reads an object and writes it whole. */
async function deflateObject(view: ObjectView, id: Uint8Array, output: PackOutput): Promise<void> {
  const object = await readObject(view, id)
  if (object === null) {
    const hex = encodeObjectId(id, 0, view.format)
    throw new GitError('MISSING_OBJECT', `object ${hex} is missing`, { details: { id: hex } })
  }
  const header = new Uint8Array(MAX_ENTRY_HEADER)
  output.append(header, 0, encodeEntryHeader(object.type, object.body.length, header, 0))
  output.appendOwned(view.codecs.deflate.deflate(object.body))
}
