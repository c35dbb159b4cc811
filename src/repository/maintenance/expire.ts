import { isIncluded, type Enumeration } from '../../graph/enumerate-objects.ts'
import type { Repository } from '../repository.ts'
import type { MaintenanceStep } from './maintenance-result.ts'
import { anyPackHas } from './pack-contents.ts'
import type { MaintainedPack, RepositoryState } from './repository-state.ts'

/**
 * The packs of unreachable objects whose time is over: neither written nor freshened for the grace period, and without an object that is
 * reachable again and nowhere else.
 *
 * @param cutoff a moment in milliseconds since the epoch.
 */
export function chooseExpired(
  { ordinary, pinned, unreachable }: RepositoryState,
  reachable: Enumeration,
  cutoff: number,
): readonly MaintainedPack[] {
  const isElsewhere = anyPackHas([...ordinary, ...pinned].map(({ file }) => file))
  return unreachable.filter(({ description, file: { index, mask } }) => {
    if (description.modified >= cutoff) return false
    for (let rank = 0; rank < index.objectCount; rank++) {
      if (mask?.has(rank) === false) continue
      const at = index.idAt(rank)
      if (isIncluded(reachable, index.bytes, at) && !isElsewhere(index.bytes, at)) return false
    }
    return true
  })
}

/**
 * Removes packs of unreachable objects for good, except those that somebody freshens meanwhile because a push relies on them.
 *
 * @returns what was removed; `undefined` when everything was freshened.
 */
export async function expirePacks(
  { storage }: Repository,
  packs: readonly MaintainedPack[],
  cutoff: number,
): Promise<MaintenanceStep | undefined> {
  const names = packs.map(({ description }) => description.name)
  await storage.commit({ dropPacks: names, dropOnlyBefore: cutoff })
  const left = new Set((await storage.listPacks()).map(({ name }) => name))
  const gone = packs.filter(({ description }) => !left.has(description.name))
  if (gone.length === 0) return undefined
  return {
    kind: 'expire',
    dropped: gone.map(({ description }) => description.name),
    objectCount: gone.reduce((sum, { file }) => sum + file.index.objectCount, 0),
  }
}
