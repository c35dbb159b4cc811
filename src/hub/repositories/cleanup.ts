import type { HubContext } from '../hub-context.ts'
import { repositoryKey } from './repository-id.ts'

/** Repositories whose data is removed at a time. */
const BATCH = 50

/** Lets the data of deleted repositories be removed after the answer. What fails is tried again by the next one. */
export function scheduleCleanup(hub: HubContext): void {
  hub.background(removeDeleted(hub))
}

/** Removes the data of all deleted repositories. It may be broken off at any point, and done by several at a time. */
export async function removeDeleted(hub: HubContext): Promise<void> {
  for (;;) {
    const ids = await hub.registry.listCleanups(BATCH)
    for (const id of ids) {
      hub.repositories.forget(id)
      await hub.storage.delete(repositoryKey(id))
      await hub.registry.finishCleanup(id)
    }
    if (ids.length < BATCH) return
  }
}
