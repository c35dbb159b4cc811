import { yieldToHost } from '../bytes/yield-to-host.ts'
import { GitError } from '../errors.ts'
import { isKnown, type Enumeration } from '../graph/enumerate-objects.ts'
import { INCLUDED } from '../graph/reachability-marks.ts'
import { encodeObjectId } from '../object/object-id.ts'
import type { ObjectType } from '../object/object-type.ts'
import type { ObjectView } from '../odb/object-view.ts'
import type { PackFile } from '../odb/pack-file.ts'
import { OFS_DELTA, REF_DELTA } from '../pack/entry-header.ts'

/** The entry is not sent. */
export const SKIP = 0
/** The stored entry is sent as it is: a whole object, or a ref-delta on an object that is sent or known. */
export const COPY = 1
/** The stored entry is an ofs-delta on an object of the same pack that is sent too; its header may need another distance. */
export const COPY_DELTA = 2
/** The stored entry is an ofs-delta; it is sent as a ref-delta on an object that is sent from elsewhere, or known. */
export const COPY_AS_REF_DELTA = 3
/** The stored entry is of no use: the object is read and deflated. */
export const DEFLATE = 4

/** Entries looked at between two turns of the host. */
const TURN = 65536

/** What is sent of one pack, as columns by position in the pack. */
export interface SelectedPack {
  readonly file: PackFile
  /** One of the constants above. */
  readonly actions: Uint8Array
  /** Position of the delta base, -1 for none; meaningful where the entry is sent. */
  readonly bases: Int32Array
  /** Where delta bases are that are sent from other packs than this one, by position of the delta. */
  readonly foreignBases: ReadonlyMap<number, SelectedPlace>
  /** Entries that are sent instead of what the action says, by position. */
  readonly made?: ReadonlyMap<number, MadeEntry>
}

/** Where a selection has an object: at a position of its n-th pack, or with {@link UNPACKED} as an ordinal of `unpacked`. */
export interface SelectedPlace {
  readonly pack: number
  readonly position: number
}

/** Stands for the pack of objects that are in none. */
export const UNPACKED = -1

/** An entry that was made for this pack. */
export interface MadeEntry {
  /** Of the object. */
  readonly type: ObjectType
  /** Inflated size: of the object, or of the delta. */
  readonly size: number
  readonly data: Uint8Array
  /** The base of a delta. */
  readonly base?: {
    readonly id: Uint8Array
    /** Where the selection has it; absent when only the other side has it. */
    readonly sent?: SelectedPlace
  }
}

/** How the enumerated objects are going to be sent. Every pack of it is pinned in the view. */
export interface PackSelection {
  readonly packs: readonly SelectedPack[]
  /** Ordinals (of the enumeration's `objects`) of those that no pack has. */
  readonly unpacked: readonly number[]
  /** Entries made for these, by ordinal. */
  readonly madeUnpacked?: ReadonlyMap<number, MadeEntry>
  readonly objectCount: number
  /** Deltas copied from packs. */
  readonly deltaCount: number
  /** Deltas made for this pack. */
  readonly madeDeltaCount: number
  /** Entries copied from packs. */
  readonly reusedCount: number
}

export interface SelectOptions {
  /** Allow deltas on objects that are only known to the other side. */
  readonly thin: boolean
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: (done: number) => void
}

/**
 * Decides for each object which stored bytes are sent. They are sent pack by pack in the order they are stored, so that storage is read
 * forwards; unpacked objects come last.
 *
 * @throws GitError `MISSING_OBJECT`, `CORRUPT_PACK`; `NOT_FOUND` when a pack went away before it could be pinned: enumerate again
 */
export async function selectEntries(
  view: ObjectView,
  enumeration: Enumeration,
  options: SelectOptions,
): Promise<PackSelection> {
  const { marks, objects } = enumeration
  if (marks.set !== view.reachability)
    throw new GitError('NOT_FOUND', 'packs were deleted since they were enumerated')
  const turn = new Turn(options)
  const packs: SelectedPack[] = []
  const foreign = new ForeignBases(enumeration, options.thin)
  for (const [number, pack] of view.reachability.packs.entries()) {
    const included = marks.marks[number]!
    if (!included.some((mark) => (mark & INCLUDED) !== 0)) continue
    await pin(view, pack)
    const actions = new Uint8Array(included.length)
    const { bases } = pack.reachability
    const selecting = { file: pack, actions, bases, foreignBases: new Map<number, SelectedPlace>() }
    for (let position = 0; position < included.length; position++) {
      if ((included[position]! & INCLUDED) === 0) continue
      const base = bases[position]!
      if (base < 0) actions[position] = COPY
      else if ((included[base]! & INCLUDED) === 0) {
        actions[position] = foreign.decide(selecting, position, base, pack.reachability.isRefDelta(position))
      } else actions[position] = pack.reachability.isRefDelta(position) ? COPY : COPY_DELTA
      if (turn.due()) await turn.take()
    }
    foreign.select(number, packs.push(selecting) - 1)
  }
  const { selected, unpacked } = await locateOthers(view, enumeration)
  if (selected.length > 0) view.describePacks()
  for (const pack of selected) {
    await selectByHeaders(view, pack, foreign, turn)
    packs.push(pack)
  }
  return {
    packs,
    unpacked,
    objectCount: marks.includedCount + objects.size,
    madeDeltaCount: 0,
    ...countActions(packs),
  }
}

async function pin(view: ObjectView, pack: PackFile): Promise<void> {
  if (await view.pin(pack)) return
  throw new GitError('NOT_FOUND', `${pack.name} was deleted meanwhile; its objects are in another pack now`)
}

/** What becomes of deltas whose bases are not sent from the same pack. */
class ForeignBases {
  readonly #enumeration: Enumeration
  readonly #thin: boolean
  /** Numbers in the selection, by those in the set. */
  readonly #numbers = new Map<number, number>()

  constructor(enumeration: Enumeration, thin: boolean) {
    this.#enumeration = enumeration
    this.#thin = thin
  }

  /** Says which number a pack of the set has in the selection. */
  select(pack: number, number: number): void {
    this.#numbers.set(pack, number)
  }

  /** What to do with a delta on the object at position `base` of its pack. Notes where else that is sent from. */
  decide(
    { file: { index }, foreignBases }: PackBeingSelected,
    position: number,
    base: number,
    isRefDelta: boolean,
  ): number {
    const { marks } = this.#enumeration
    const baseAt = index.idAt(index.packOrder[base]!)
    // A base that is sent from elsewhere comes from an earlier pack of the set, so deltas never form a circle.
    const node = marks.set.find(index.bytes, baseAt)
    const number = node && marks.has(node, INCLUDED) ? this.#numbers.get(node.pack) : undefined
    if (node !== undefined && number !== undefined)
      foreignBases.set(position, { pack: number, position: node.position })
    else if (!this.#thin || !isKnown(this.#enumeration, index.bytes, baseAt)) return DEFLATE
    return isRefDelta ? COPY : COPY_AS_REF_DELTA
  }
}

interface PackBeingSelected extends SelectedPack {
  readonly foreignBases: Map<number, SelectedPlace>
}

/** Finds the objects that are in packs without written reachability, and those that are in none. */
async function locateOthers(
  view: ObjectView,
  { objects }: Enumeration,
): Promise<{ readonly selected: readonly PackBeingSelected[]; readonly unpacked: readonly number[] }> {
  const selected = new Map<PackFile, PackBeingSelected>()
  const unpacked: number[] = []
  for (let ordinal = 0; ordinal < objects.size; ordinal++) {
    const location = view.locate(objects.ids, ordinal * objects.idLength)
    if (location === undefined) {
      unpacked.push(ordinal)
      continue
    }
    const { pack, rank } = location
    let columns = selected.get(pack)
    if (columns === undefined) {
      const count = pack.index.objectCount
      columns = {
        file: pack,
        actions: new Uint8Array(count),
        bases: new Int32Array(count).fill(-1),
        foreignBases: new Map(),
      }
      selected.set(pack, columns)
    }
    columns.actions[pack.index.positions[rank]!] = DEFLATE
  }
  for (const pack of selected.keys()) await pin(view, pack)
  await assertPresent(view, objects, unpacked)
  return { selected: [...selected.values()], unpacked }
}

async function assertPresent(
  view: ObjectView,
  objects: Enumeration['objects'],
  ordinals: readonly number[],
): Promise<void> {
  let waiting = [...ordinals]
  while (waiting.length > 0) {
    waiting = waiting.filter((ordinal) => {
      const present = view.tryHas(objects.view(ordinal))
      if (present === false) {
        const id = encodeObjectId(objects.view(ordinal), 0, view.format)
        throw new GitError('MISSING_OBJECT', `object ${id} is missing`, { details: { id } })
      }
      return present === undefined
    })
    if (waiting.length > 0) await view.settle()
  }
}

/** Decides on the chosen entries of a pack by reading their headers; they come in marked as {@link DEFLATE}. */
async function selectByHeaders(
  view: ObjectView,
  selecting: PackBeingSelected,
  foreign: ForeignBases,
  turn: Turn,
): Promise<void> {
  const { file, actions, bases } = selecting
  const { index } = file
  for (let position = 0; position < actions.length; position++) {
    if (actions[position] === SKIP) continue
    if (turn.due()) await turn.take()
    const rank = index.packOrder[position]!
    let entry = file.tryEntry(rank)
    while (entry === undefined) {
      await view.settle()
      entry = file.tryEntry(rank)
    }
    if (entry.type !== OFS_DELTA && entry.type !== REF_DELTA) {
      actions[position] = COPY
      continue
    }
    const base = index.positions[entry.baseRank]!
    const isRefDelta = entry.type === REF_DELTA
    bases[position] = base
    if (actions[base] !== SKIP) actions[position] = isRefDelta ? COPY : COPY_DELTA
    else actions[position] = foreign.decide(selecting, position, base, isRefDelta)
  }
}

function countActions(packs: readonly SelectedPack[]): {
  readonly deltaCount: number
  readonly reusedCount: number
} {
  let deltaCount = 0
  let reusedCount = 0
  for (const { actions, bases } of packs) {
    for (let position = 0; position < actions.length; position++) {
      const action = actions[position]!
      if (action === SKIP || action === DEFLATE) continue
      reusedCount++
      if (bases[position]! >= 0) deltaCount++
    }
  }
  return { deltaCount, reusedCount }
}

/** Lets the host do other work now and then. */
class Turn {
  readonly #options: SelectOptions
  #done = 0

  constructor(options: SelectOptions) {
    this.#options = options
  }

  due(): boolean {
    return ++this.#done % TURN === 0
  }

  async take(): Promise<void> {
    this.#options.onProgress?.(this.#done)
    await yieldToHost()
    this.#options.signal?.throwIfAborted()
  }
}
