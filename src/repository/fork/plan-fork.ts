import { enumerateObjects, isIncluded, type Enumeration } from '../../graph/enumerate-objects.ts'
import { INCLUDED } from '../../graph/reachability-marks.ts'
import { concatBytes } from '../../bytes/concat.ts'
import { parseObjectId, type ObjectId } from '../../object/object-id.ts'
import { hasObject } from '../../object/object-reader.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import type { PackFile } from '../../odb/pack-file.ts'
import { planWhole } from './plan-whole.ts'
import type { LooseObjects } from '../../storage/repository-storage.ts'
import type { SharedPack } from '../../storage/storage.ts'

/** What of a repository's objects a fork shares. */
export interface ForkPlan {
  readonly packs: readonly SharedPack[]
  /** Raw ids of loose objects, side by side. */
  readonly loose: Uint8Array
  /** The commits whose parents the fork does not have. */
  readonly shallow: readonly ObjectId[]
  /** How many objects the fork has. */
  readonly objectCount: number
}

/**
 * Finds out what some tips reach, and which bits of which packs that is. A walk over numbers where reachability is written down, and none
 * where everything is shared.
 *
 * @param options.loose the loose objects of the repository, where it has any.
 * @returns `undefined` when packs or loose objects of the view went away meanwhile: open another one.
 * @throws GitError `MISSING_OBJECT`, `CORRUPT_OBJECT`, `CORRUPT_PACK`; the signal's reason when aborted
 */
export async function planFork(
  view: ObjectView,
  tips: readonly ObjectId[],
  options: { readonly loose?: LooseObjects | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<ForkPlan | undefined> {
  const { signal } = options
  const whole = planWhole(view, tips)
  if (whole !== undefined) return whole
  const enumeration = await enumerateObjects(view, {
    wants: tips.map((tip) => parseObjectId(tip, view.format)),
    haves: [],
    ...(signal === undefined ? {} : { signal }),
  })
  const { marks, objects } = enumeration
  if (marks.set !== view.reachability) return undefined
  const masks = new Map<PackFile, Uint8Array>()
  for (const number of view.reachability.packs.keys()) addMarked(view, enumeration, number, masks)
  const loose = await addOthers(view, enumeration, masks, options.loose)
  if (loose === undefined || marks.set !== view.reachability) return undefined
  return {
    packs: [...masks].map(([pack, mask]) => sharedPack(pack, mask)),
    loose,
    shallow: [...view.shallow].filter((id) => isIncluded(enumeration, parseObjectId(id, view.format))),
    objectCount: marks.includedCount + objects.size,
  }
}

/**
 * The mask of a pack whose reachability is written down. Objects that are reached as another pack's copies are visible too: with them a
 * pack that holds nothing else needs no mask.
 */
function addMarked(
  view: ObjectView,
  { marks }: Enumeration,
  number: number,
  masks: Map<PackFile, Uint8Array>,
): void {
  const pack = view.reachability.packs[number]!
  const included = marks.marks[number]!
  if (!included.some((mark) => (mark & INCLUDED) !== 0)) return
  const mask = maskOf(pack, masks)
  const { packOrder } = pack.index
  for (let position = 0; position < included.length; position++) {
    if ((included[position]! & INCLUDED) === 0) {
      if (marks.set.isHidden(number, position)) continue
      const copy = marks.set.standIn(number, position)
      if (copy === undefined || !marks.has(copy, INCLUDED)) continue
    }
    const rank = packOrder[position]!
    mask[rank >> 3]! |= 1 << (rank & 7)
  }
}

/** Objects in packs without written reachability, and loose ones, whose ids it returns; `undefined` when one went elsewhere meanwhile. */
async function addOthers(
  view: ObjectView,
  { objects }: Enumeration,
  masks: Map<PackFile, Uint8Array>,
  loose: LooseObjects | undefined,
): Promise<Uint8Array | undefined> {
  const { idLength } = objects
  const addPacked = (ordinal: number): boolean => {
    const location = view.locate(objects.ids, ordinal * idLength)
    if (location === undefined) return false
    const mask = maskOf(location.pack, masks)
    mask[location.rank >> 3]! |= 1 << (location.rank & 7)
    return true
  }
  const others = Array.from({ length: objects.size }, (_, ordinal) => ordinal).filter(
    (one) => !addPacked(one),
  )
  const ids = concatBytes(others.map((ordinal) => objects.view(ordinal)))
  const isLoose = loose && ids.length > 0 ? await loose.hasMany(ids) : new Uint8Array(others.length)
  for (const [at, ordinal] of others.entries()) {
    if (isLoose[at] !== 0) continue
    // A repack may have put it into a pack since, which the view finds when it looks once more; it does not when it remembers the object.
    await hasObject(view, objects.view(ordinal))
    if (!addPacked(ordinal)) return undefined
  }
  return concatBytes(others.filter((_, at) => isLoose[at] !== 0).map((ordinal) => objects.view(ordinal)))
}

function maskOf(pack: PackFile, masks: Map<PackFile, Uint8Array>): Uint8Array {
  const found = masks.get(pack)
  if (found !== undefined) return found
  const mask = new Uint8Array(Math.ceil(pack.index.objectCount / 8))
  masks.set(pack, mask)
  return mask
}

function sharedPack({ name, index }: PackFile, visible: Uint8Array): SharedPack {
  return isFull(visible, index.objectCount) ? { name } : { name, visible }
}

function isFull(mask: Uint8Array, count: number): boolean {
  const whole = count >> 3
  for (let at = 0; at < whole; at++) if (mask[at] !== 0xff) return false
  return count % 8 === 0 || mask[whole] === (1 << (count % 8)) - 1
}
