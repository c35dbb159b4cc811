import type { HubContext } from '../hub-context.ts'
import type { RepositoryRecord } from '../registry/records.ts'
import { scheduleCleanup } from './cleanup.ts'

/** What deleting a name came to. */
export type Deletion =
  | { readonly kind: 'deleted'; readonly id: string }
  /** It was deleted before, and nobody has taken its name since. */
  | { readonly kind: 'deleted-before'; readonly id: string }
  | { readonly kind: 'absent' }

/**
 * Deletes the repository of a name, whatever it is doing: it and its tokens stop working at once, its data is removed afterwards.
 */
export async function deleteRepository(hub: HubContext, namespace: string, name: string): Promise<Deletion> {
  const record = await hub.registry.findRepository(namespace, name)
  if (record !== undefined && (await deleteRecord(hub, record))) return { kind: 'deleted', id: record.id }
  const id = await hub.registry.findTombstone(namespace, name)
  return id === undefined ? { kind: 'absent' } : { kind: 'deleted-before', id }
}

async function deleteRecord(hub: HubContext, record: RepositoryRecord): Promise<boolean> {
  const events = hub.events.deleted(record, hub.now())
  const deleted = await hub.registry.deleteRepository(record.id, { tombstone: true, events })
  if (!deleted) return false
  hub.delivery.notify(record.id)
  scheduleCleanup(hub)
  return true
}
