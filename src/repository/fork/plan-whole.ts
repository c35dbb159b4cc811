import type { ReachabilitySet } from '../../graph/reachability-set.ts'
import { IdTable } from '../../object/id-table.ts'
import { parseObjectId, type ObjectId } from '../../object/object-id.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import type { ReachablePackFile } from '../../odb/pack-file.ts'
import type { ForkPlan } from './plan-fork.ts'

/** Ids that packs name in each other are looked up as long as they are at most this part of the objects. */
const MOST_EXTERNALS = 1 / 4

/**
 * Plans a fork without a walk, where all packs belong to it whole: each object that nothing in its pack names is one of the tips, or is
 * named by another pack. Objects do not name each other in circles, so everything is then reached from the tips.
 *
 * @returns `undefined` where that is not so, or cannot be told.
 */
export function planWhole(view: ObjectView, tips: readonly ObjectId[]): ForkPlan | undefined {
  const { reachability: set, packs, format } = view
  if (view.shallow.size > 0 || set.packs.length !== packs.length) return undefined
  if (packs.some(({ mask, promisor }) => mask !== undefined || promisor)) return undefined
  const named = namedIds(set)
  if (named === undefined) return undefined
  for (const tip of tips) {
    const id = parseObjectId(tip, format)
    if (set.find(id) === undefined) return undefined
    named.add(id)
  }
  for (const [number, { index, reachability }] of set.packs.entries()) {
    for (const position of reachability.tips) {
      const id = index.id(index.packOrder[position]!)
      if (named.has(id) || set.standIn(number, position) !== undefined) continue
      if (!set.packs.some((pack) => isNamedWithin(pack, id))) return undefined
    }
  }
  return {
    packs: set.packs.map(({ name }) => ({ name })),
    loose: new Uint8Array(0),
    shallow: [],
    objectCount: set.objectCount,
  }
}

/** The ids that packs name and do not have; `undefined` when one of them is in no pack, or when they are too many. */
function namedIds(set: ReachabilitySet): IdTable | undefined {
  const total = set.packs.reduce((sum, { reachability }) => sum + reachability.externalCount, 0)
  if (total > MOST_EXTERNALS * set.objectCount) return undefined
  const idLength = set.packs[0]?.index.idLength
  if (idLength === undefined) return undefined
  const ids = new IdTable(idLength, Math.max(64, total), 'named')
  for (const { reachability } of set.packs) {
    const { externals, externalCount } = reachability
    for (let external = 0; external < externalCount; external++) {
      const before = ids.size
      if (ids.add(externals, external * idLength) !== before) continue
      if (set.find(externals, external * idLength) === undefined) return undefined
    }
  }
  return ids
}

/** Whether a pack has an object, and another one in it names that. */
function isNamedWithin(
  { index, reachability }: Pick<ReachablePackFile, 'index' | 'reachability'>,
  id: Uint8Array,
): boolean {
  const rank = index.find(id)
  return rank >= 0 && !reachability.tips.includes(index.positions[rank]!)
}
