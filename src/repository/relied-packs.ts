import { isIncluded, type Enumeration } from '../graph/enumerate-objects.ts'
import { INCLUDED } from '../graph/reachability-marks.ts'
import type { ObjectView } from '../odb/object-view.ts'
import type { PackIndex } from '../pack/pack-index.ts'
import type { RepositoryStorage } from '../storage/repository-storage.ts'

/**
 * Names the packs that a push relies on though no ref keeps alive what it needs of them: those with enumerated objects that were not
 * received. Nearly every push has none.
 *
 * @param enumeration what the pushed tips reach and refs do not.
 */
export function findReliedPacks(
  view: ObjectView,
  enumeration: Enumeration,
  received: PackIndex | undefined,
): ReadonlySet<string> {
  const { marks, objects } = enumeration
  const relied = new Set<string>()
  if (countIncluded(enumeration, received) === marks.includedCount + objects.size) return relied
  // Packs went away while this was enumerated; which is which is not known any more.
  if (marks.set !== view.reachability) return new Set(view.packs.map(({ name }) => name))
  const isReceived = (bytes: Uint8Array, at: number): boolean =>
    received !== undefined && received.find(bytes, at) >= 0
  for (const [number, included] of marks.marks.entries()) {
    const { index, name } = view.reachability.packs[number]!
    const isNeeded = included.some(
      (mark, position) =>
        (mark & INCLUDED) !== 0 && !isReceived(index.bytes, index.idAt(index.packOrder[position]!)),
    )
    if (isNeeded) relied.add(name)
  }
  const { ids, idLength } = objects
  for (let ordinal = 0; ordinal < objects.size; ordinal++) {
    if (isReceived(ids, ordinal * idLength)) continue
    const location = view.locate(ids, ordinal * idLength)
    if (location !== undefined) relied.add(location.pack.name)
  }
  return relied
}

function countIncluded(enumeration: Enumeration, received: PackIndex | undefined): number {
  if (received === undefined) return 0
  let count = 0
  for (let rank = 0; rank < received.objectCount; rank++)
    if (isIncluded(enumeration, received.bytes, received.idAt(rank))) count++
  return count
}

/**
 * Freshens packs, so that maintenance keeps them for another grace period.
 *
 * @returns false when one of them is gone: what was found in it has to be looked for again.
 */
export async function keepPacks(storage: RepositoryStorage, names: ReadonlySet<string>): Promise<boolean> {
  if (names.size === 0) return true
  await storage.freshenPacks([...names])
  // Only what is there after it was freshened is kept: it may have gone in between.
  const listed = new Set((await storage.listPacks()).map(({ name }) => name))
  return [...names].every((name) => listed.has(name))
}
