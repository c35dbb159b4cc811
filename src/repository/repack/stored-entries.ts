import { yieldToHost } from '../../bytes/yield-to-host.ts'
import { DeltaHeader } from '../../delta/delta-header.ts'
import { GitError } from '../../errors.ts'
import type { NamedEnumeration } from '../../graph/enumerate-named.ts'
import { encodeObjectId } from '../../object/object-id.ts'
import type { RawObject } from '../../object/object-reader.ts'
import { objectTypeName, type ObjectType } from '../../object/object-type.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import type { PackFile } from '../../odb/pack-file.ts'
import { OFS_DELTA, REF_DELTA } from '../../pack/entry-header.ts'

/** Entries looked at between two turns of the host. */
const TURN = 16384

/** How the objects to be packed are stored now, as columns by ordinal. Every pack of it is pinned in the view. */
export class StoredEntries {
  readonly files: readonly PackFile[]
  /** Index in `files`, -1 for an object that is not packed. */
  readonly packs: Int32Array
  /** Rank in that pack. */
  readonly ranks: Uint32Array
  /** 1 for an object that its pack stores whole. */
  readonly storedWhole: Uint8Array
  /** Bytes of the stored entry's header. */
  readonly headerLengths: Uint8Array
  /** Inflated size of the stored entry: of the object, or of the delta. */
  readonly entrySizes: Float64Array
  /** Rank of a stored delta's base in the same pack, else -1. */
  readonly baseRanks: Int32Array
  /** Size of the object. */
  readonly sizes: Float64Array
  readonly #view: ObjectView
  readonly #enumeration: NamedEnumeration

  constructor(
    view: ObjectView,
    enumeration: NamedEnumeration,
    files: readonly PackFile[],
    packs: Int32Array,
    ranks: Uint32Array,
  ) {
    const count = packs.length
    this.#view = view
    this.#enumeration = enumeration
    this.files = files
    this.packs = packs
    this.ranks = ranks
    this.storedWhole = new Uint8Array(count)
    this.headerLengths = new Uint8Array(count)
    this.entrySizes = new Float64Array(count)
    this.baseRanks = new Int32Array(count).fill(-1)
    this.sizes = new Float64Array(count)
  }

  /**
   * The body of an object, `undefined` when it is not resident: then `view.settle()` and ask again.
   *
   * @throws GitError `MISSING_OBJECT`, `CORRUPT_OBJECT`, `CORRUPT_PACK`
   */
  tryBody(ordinal: number): Uint8Array | undefined {
    const { objects, types } = this.#enumeration
    const file = this.files[this.packs[ordinal]!]
    const object: RawObject | null | undefined =
      file === undefined ? this.#view.tryRead(objects.view(ordinal)) : file.tryRead(this.ranks[ordinal]!)
    if (object === undefined) return undefined
    if (object !== null && object.type === types[ordinal]) return object.body
    const id = encodeObjectId(objects.view(ordinal), 0, this.#view.format)
    if (object === null) throw new GitError('MISSING_OBJECT', `object ${id} is missing`, { details: { id } })
    const expected = objectTypeName(types[ordinal] as ObjectType)
    throw new GitError(
      'CORRUPT_OBJECT',
      `object ${id} is a ${objectTypeName(object.type)}; it is named as a ${expected}`,
      { details: { id } },
    )
  }

  /** Like {@link tryBody}, for code that is not a loop. */
  async readBody(ordinal: number): Promise<Uint8Array> {
    for (;;) {
      const body = this.tryBody(ordinal)
      if (body !== undefined) return body
      await this.#view.settle()
    }
  }
}

/**
 * Finds how the enumerated objects are stored, and how large they are.
 *
 * @throws GitError `MISSING_OBJECT`, `CORRUPT_PACK`; the signal's reason when aborted
 */
export async function readStoredEntries(
  view: ObjectView,
  enumeration: NamedEnumeration,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (done: number) => void },
): Promise<StoredEntries> {
  const { objects } = enumeration
  const stored = await locateAll(view, enumeration)
  const sizer = new EntrySizer(view, stored)
  let done = 0
  const turn = async (): Promise<void> => {
    options.onProgress?.(done)
    options.signal?.throwIfAborted()
    await yieldToHost()
  }
  for (const ordinal of inPackOrder(stored)) {
    while (!sizer.tryRead(ordinal)) await view.settle()
    if (++done % TURN === 0) await turn()
  }
  for (let ordinal = 0; ordinal < objects.size; ordinal++) {
    if (stored.packs[ordinal]! >= 0) continue
    stored.sizes[ordinal] = (stored.tryBody(ordinal) ?? (await stored.readBody(ordinal))).length
    if (++done % TURN === 0) await turn()
  }
  return stored
}

/** Finds a packed copy of every object that has one, in packs that are pinned; begins again when a pack goes away meanwhile. */
async function locateAll(view: ObjectView, enumeration: NamedEnumeration): Promise<StoredEntries> {
  const { objects } = enumeration
  for (;;) {
    const files: PackFile[] = []
    const packs = new Int32Array(objects.size).fill(-1)
    const ranks = new Uint32Array(objects.size)
    const { ids, idLength } = objects
    for (let ordinal = 0; ordinal < objects.size; ordinal++) {
      const location = view.locate(ids, ordinal * idLength)
      if (location === undefined) continue
      let pack = files.indexOf(location.pack)
      if (pack < 0) pack = files.push(location.pack) - 1
      packs[ordinal] = pack
      ranks[ordinal] = location.rank
    }
    const pinned = await Promise.all(files.map((file) => view.pin(file)))
    if (!pinned.includes(false)) return new StoredEntries(view, enumeration, files, packs, ranks)
  }
}

/** The ordinals of packed objects, pack by pack as they stand there, so that storage is read forwards. */
function inPackOrder({ files, packs, ranks }: StoredEntries): Uint32Array {
  const ordinals = new Uint32Array(packs.length)
  let count = 0
  files.forEach((file, pack) => {
    const ordinalOf = new Int32Array(file.index.objectCount).fill(-1)
    for (let ordinal = 0; ordinal < packs.length; ordinal++)
      if (packs[ordinal] === pack) ordinalOf[ranks[ordinal]!] = ordinal
    for (const rank of file.index.packOrder) {
      const ordinal = ordinalOf[rank]!
      if (ordinal >= 0) ordinals[count++] = ordinal
    }
  })
  return ordinals.subarray(0, count)
}

/** Reads entry headers, and the sizes that deltas begin with. */
class EntrySizer {
  readonly #view: ObjectView
  readonly #stored: StoredEntries
  readonly #header = new DeltaHeader()
  #delta = new Uint8Array(4096)

  constructor(view: ObjectView, stored: StoredEntries) {
    this.#view = view
    this.#stored = stored
  }

  /** Fills the columns of one packed object; false when its bytes are not resident. */
  tryRead(ordinal: number): boolean {
    const stored = this.#stored
    const rank = stored.ranks[ordinal]!
    const file = stored.files[stored.packs[ordinal]!]!
    const entry = file.tryEntry(rank)
    if (entry === undefined) return false
    let { size } = entry
    if (entry.type === OFS_DELTA || entry.type === REF_DELTA) {
      const offset = file.index.offset(rank)
      const length = file.entryEnd(file.index.positionOf(offset)) - offset
      const { data } = file
      if (!data.tryWindow(offset, length)) return false
      if (this.#delta.length < size) this.#delta = new Uint8Array(size)
      const from = data.windowAt + entry.headerLength
      const { inflate } = this.#view.codecs
      if (inflate.inflateInto(data.window, from, data.windowAt + length, this.#delta, 0, size) < 0) {
        throw new GitError('CORRUPT_PACK', `entry at offset ${offset} of ${file.name} is cut short`)
      }
      this.#header.parse(this.#delta, 0, size)
      size = this.#header.resultSize
    } else {
      stored.storedWhole[ordinal] = 1
    }
    stored.sizes[ordinal] = size
    stored.entrySizes[ordinal] = entry.size
    stored.headerLengths[ordinal] = entry.headerLength
    stored.baseRanks[ordinal] = entry.baseRank
    return true
  }
}
