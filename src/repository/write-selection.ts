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
  UNPACKED,
  type MadeEntry,
  type PackSelection,
  type SelectedPlace,
} from './pack-selection.ts'

/** Stored bytes are read in pieces of this size at most. */
const READ_SIZE = 1 << 20
/** Ranges up to this size are copied through the cache. */
const SHORT = 256 << 10
/** So are longer ones of packs up to this part of what is kept of an answer at most: who comes next asks for the same bytes. */
const SMALL_PART = 0.5

export interface WriteSelectionOptions {
  /** Write deltas on objects of the same pack as ofs-deltas; as ref-deltas otherwise. */
  readonly ofsDelta: boolean
  /** Wrap the pack in frames. */
  readonly framing?: OutputFraming | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: (done: number, bytes: number) => void
}

/**
 * Writes the pack of a selection. Neighbouring entries that need no new header are copied as one range of the stored pack.
 *
 * A base comes before the deltas on it, out of its turn if need be, so that those are ofs-deltas. A ref-delta on an object of the same
 * pack would mislead `git index-pack --fix-thin` where the client has that object already: it completes the pack with another copy.
 * Chunks belong to the receiver.
 *
 * @throws GitError `MISSING_OBJECT`, `CORRUPT_PACK`, `STORAGE`; the signal's reason when aborted
 */
export function writeSelection(
  view: ObjectView,
  enumeration: Enumeration,
  selection: PackSelection,
  options: WriteSelectionOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  return new SelectionWriter(view, enumeration, selection, options).write()
}

class SelectionWriter {
  readonly #view: ObjectView
  readonly #enumeration: Enumeration
  readonly #selection: PackSelection
  readonly #options: WriteSelectionOptions
  readonly #output: PackOutput
  readonly #header = new Uint8Array(MAX_ENTRY_HEADER)
  /** Where objects were written: by pack, and those of no pack. */
  readonly #columns: readonly OffsetColumn[]
  readonly #unpacked = new Map<number, number>()
  #done = 0

  constructor(
    view: ObjectView,
    enumeration: Enumeration,
    selection: PackSelection,
    options: WriteSelectionOptions,
  ) {
    this.#view = view
    this.#enumeration = enumeration
    this.#selection = selection
    this.#options = options
    this.#output = new PackOutput(view.format, options.framing)
    this.#columns = selection.packs.map(
      ({ actions }) => new OffsetColumn(actions.length, selection.objectCount),
    )
  }

  async *write(): AsyncGenerator<Uint8Array, void, undefined> {
    const { packs, unpacked, objectCount } = this.#selection
    this.#output.append(encodePackHeader(objectCount), 0, PACK_HEADER_LENGTH)
    for (const number of packs.keys()) yield* this.#writePack(number)
    for (const position of unpacked) yield* this.#writeWithBases({ pack: UNPACKED, position })
    this.#output.finish()
    yield* this.#output.ready
  }

  async *#writePack(number: number): AsyncGenerator<Uint8Array, void, undefined> {
    const { file, actions, bases, made } = this.#selection.packs[number]!
    const output = this.#output
    const writtenAt = this.#columns[number]!
    const offsets = file.index.sortedOffsets
    const { ofsDelta } = this.#options
    /** A range of the stored pack that is to be copied as it is, and was not yet. */
    let runStart = 0
    let runEnd = 0
    let unreported = 0
    for (let position = 0; position < actions.length; position++) {
      const action = actions[position]!
      if (action === SKIP || writtenAt.get(position) > 0) continue
      const isMade = made?.has(position) === true
      const base = bases[position]!
      const at = output.total + runEnd - runStart
      const asStored =
        !isMade &&
        (action === COPY
          ? base < 0 || !ofsDelta
          : action === COPY_DELTA &&
            ofsDelta &&
            at - writtenAt.get(base) === offsets[position]! - offsets[base]!)
      if (asStored) writtenAt.set(position, at)
      const end = asStored ? file.entryEnd(position) : 0
      if (asStored && runEnd === offsets[position] && runEnd - runStart < READ_SIZE) {
        runEnd = end
        unreported++
        continue
      }
      if (!tryCopy(file, runStart, runEnd, output))
        yield* copyRange(this.#view, file, runStart, runEnd, output)
      runStart = asStored ? offsets[position]! : 0
      runEnd = end
      if (asStored || this.#tryWriteCopy(number, position)) unreported++
      else yield* this.#writeWithBases({ pack: number, position })
      if (output.ready.length > 0) yield* output.ready.splice(0)
      this.#report(unreported)
      unreported = 0
    }
    yield* copyRange(this.#view, file, runStart, runEnd, output)
    this.#report(unreported)
  }

  /** Writes a stored delta under a new header, if its base was written and it is short and resident. */
  #tryWriteCopy(pack: number, position: number): boolean {
    const { file, actions, bases, made } = this.#selection.packs[pack]!
    const base = bases[position]!
    if (base < 0 || actions[position] === DEFLATE || made?.has(position) === true) return false
    const { index, data } = file
    const sent = this.#baseOf({ pack, position })
    if (this.#options.ofsDelta && sent !== undefined && this.#offsetOf(sent) === 0) return false
    const entry = file.tryEntry(index.packOrder[position]!)
    if (entry === undefined) return false
    const from = index.sortedOffsets[position]! + entry.headerLength
    const length = file.entryEnd(position) - from
    if (length > SHORT || !data.tryWindow(from, length)) return false
    this.#columns[pack]!.set(position, this.#output.total)
    this.#putDeltaHeader(entry.size, sent, index.id(index.packOrder[base]!))
    this.#output.append(data.window, data.windowAt, data.windowAt + length)
    return true
  }

  /** Writes an object that was not written yet, and before it the bases that were not. */
  async *#writeWithBases(place: SelectedPlace): AsyncGenerator<Uint8Array, void, undefined> {
    const waiting: SelectedPlace[] = []
    for (let at: SelectedPlace | undefined = place; at !== undefined && this.#offsetOf(at) === 0;) {
      waiting.push(at)
      at = this.#options.ofsDelta ? this.#baseOf(at) : undefined
    }
    for (const one of waiting.reverse()) {
      const { total } = this.#output
      if (one.pack === UNPACKED) this.#unpacked.set(one.position, total)
      else this.#columns[one.pack]?.set(one.position, total)
      yield* one.pack === UNPACKED ? this.#writeUnpacked(one.position) : this.#writeEntry(one)
      yield* this.#output.ready.splice(0)
      this.#report(1)
    }
  }

  async *#writeUnpacked(ordinal: number): AsyncGenerator<Uint8Array, void, undefined> {
    const made = this.#selection.madeUnpacked?.get(ordinal)
    if (made === undefined)
      await deflateObject(this.#view, this.#enumeration.objects.id(ordinal), this.#output)
    else this.#writeMade(made)
    yield* this.#output.ready.splice(0)
  }

  async *#writeEntry(place: SelectedPlace): AsyncGenerator<Uint8Array, void, undefined> {
    const { file, actions, bases, made } = this.#selection.packs[place.pack]!
    const { index } = file
    const rank = index.packOrder[place.position]!
    const base = bases[place.position]!
    const offset = index.sortedOffsets[place.position]!
    const entryMade = made?.get(place.position)
    if (entryMade !== undefined) this.#writeMade(entryMade)
    else if (actions[place.position] === DEFLATE)
      await deflateObject(this.#view, index.id(rank), this.#output)
    else {
      let from = offset
      if (base >= 0) {
        const entry = await readEntry(file, rank)
        this.#putDeltaHeader(entry.size, this.#baseOf(place), index.id(index.packOrder[base]!))
        from += entry.headerLength
      }
      yield* copyRange(this.#view, file, from, file.entryEnd(place.position), this.#output)
    }
  }

  #writeMade({ type, size, data, base }: MadeEntry): void {
    if (base === undefined) {
      this.#output.append(this.#header, 0, encodeEntryHeader(type, size, this.#header, 0))
    } else this.#putDeltaHeader(size, base.sent, base.id)
    this.#output.append(data, 0, data.length)
  }

  /** Puts the header of a delta: of an ofs-delta if its base is in the pack and the client understands it. */
  #putDeltaHeader(size: number, base: SelectedPlace | undefined, id: Uint8Array): void {
    const { total } = this.#output
    const baseAt = base === undefined || !this.#options.ofsDelta ? 0 : this.#offsetOf(base)
    const headerEnd =
      baseAt === 0
        ? encodeRefDeltaHeader(size, id, this.#header)
        : encodeBaseDistance(
            total - baseAt,
            this.#header,
            encodeEntryHeader(OFS_DELTA, size, this.#header, 0),
          )
    this.#output.append(this.#header, 0, headerEnd)
  }

  /** Where the base of a delta is that is sent too. */
  #baseOf({ pack, position }: SelectedPlace): SelectedPlace | undefined {
    if (pack === UNPACKED) return this.#selection.madeUnpacked?.get(position)?.base?.sent
    const { actions, bases, foreignBases, made } = this.#selection.packs[pack]!
    const entryMade = made?.get(position)
    if (entryMade !== undefined) return entryMade.base?.sent
    const base = bases[position]!
    if (base < 0 || actions[position] === DEFLATE) return undefined
    return actions[base] === SKIP ? foreignBases.get(position) : { pack, position: base }
  }

  /** The offset of an object in the pack, 0 when it was not written yet. */
  #offsetOf({ pack, position }: SelectedPlace): number {
    return (pack === UNPACKED ? this.#unpacked.get(position) : this.#columns[pack]?.get(position)) ?? 0
  }

  #report(count: number): void {
    const { signal, onProgress } = this.#options
    signal?.throwIfAborted()
    this.#done += count
    onProgress?.(this.#done, this.#output.total)
  }
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

function encodeRefDeltaHeader(size: number, base: Uint8Array, out: Uint8Array): number {
  const at = encodeEntryHeader(REF_DELTA, size, out, 0)
  out.set(base, at)
  return at + base.length
}

/** Copies a short range if it is resident. */
function tryCopy(file: PackFile, from: number, to: number, output: PackOutput): boolean {
  return from === to || (to - from <= SHORT && tryCopyWindow(file, from, to, output))
}

/** Copies a range if it is resident; if not, the next `settle` makes it so. */
function tryCopyWindow({ data }: PackFile, from: number, to: number, output: PackOutput): boolean {
  if (!data.tryWindow(from, to - from)) return false
  output.append(data.window, data.windowAt, data.windowAt + to - from)
  return true
}

/** Copies a range: a short one, or one of a small pack, through the cache, where it or its neighbours are needed next; others past it. */
async function* copyRange(
  { keptPacks }: ObjectView,
  file: PackFile,
  from: number,
  to: number,
  output: PackOutput,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (to - from <= SHORT) {
    while (!tryCopy(file, from, to, output)) await file.data.settle()
  } else if (file.data.size <= SMALL_PART * keptPacks.maxBytes) {
    for (let offset = from; offset < to;) {
      // No piece lies in two blocks of the cache.
      const end = Math.min(to, offset - (offset % READ_SIZE) + READ_SIZE)
      while (!tryCopyWindow(file, offset, end, output)) await file.data.settle()
      offset = end
      yield* output.ready.splice(0)
    }
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
