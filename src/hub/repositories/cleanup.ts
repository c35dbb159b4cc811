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
    let removed = 0
    for (const id of ids) {
      // One that cannot be removed does not keep the others.
      if (await tryToRemove(hub, id)) removed++
    }
    if (ids.length < BATCH || removed === 0) return
  }
}

async function tryToRemove(hub: HubContext, id: string): Promise<boolean> {
  try {
    await hub.delivery.beforeRemoval(id)
    hub.repositories.forget(id)
    await hub.storage.delete(repositoryKey(id))
    await hub.registry.finishCleanup(id)
    return true
  } catch (error) {
    hub.onError(error)
    return false
  }
}
