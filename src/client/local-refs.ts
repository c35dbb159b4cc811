import type { ObjectId } from '../object/object-id.ts'
import type { RefTarget } from '../refs/ref.ts'
import type { RepositoryStorage } from '../storage/repository-storage.ts'

/** The refs that are here. */
export interface LocalRefs {
  /** What each ref holds; `HEAD` is not among them. */
  readonly targets: ReadonlyMap<string, RefTarget>
  /** Ids that refs hold, a detached `HEAD` included. What they reach is complete. */
  readonly ids: ReadonlySet<ObjectId>
}

/** Reads all refs. */
export async function readLocalRefs(storage: RepositoryStorage): Promise<LocalRefs> {
  const [refs, heads] = await Promise.all([storage.listRefs('refs/'), storage.readRefs(['HEAD'])])
  const targets = new Map<string, RefTarget>()
  const ids = new Set<ObjectId>()
  for (const { name, target } of refs) {
    targets.set(name, target)
    if (target.kind === 'direct') ids.add(target.id)
  }
  const head = heads[0]?.target
  if (head?.kind === 'direct') ids.add(head.id)
  return { targets, ids }
}
