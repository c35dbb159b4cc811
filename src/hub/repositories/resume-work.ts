import type { HubContext } from '../hub-context.ts'
import type { RepositoryRecord } from '../registry/records.ts'
import { resumeImport } from '../import/resume-import.ts'
import { removeDeleted } from './cleanup.ts'
import { createStored } from './create-repository.ts'
import { abandonReservation, LEASE } from './reserve-repository.ts'

/** Repositories that are looked at in one go. */
const BATCH = 50

/**
 * Takes up what processes that died left behind. A repository that was being created is finished, an import is begun anew in the
 * background, and a fork is given up, since whoever asked for it has heard of no success. Then the data of deleted ones is removed. It
 * may be done by several processes at a time: each repository is taken by one of them.
 */
export async function resumeWork(hub: HubContext): Promise<void> {
  for (const record of await hub.registry.listStale(hub.now(), BATCH)) {
    const now = hub.now()
    if (await hub.registry.takeLease(record.id, now, now + LEASE)) await settle(hub, record)
  }
  await removeDeleted(hub)
}

async function settle(hub: HubContext, record: RepositoryRecord): Promise<void> {
  if (record.status === 'importing') {
    hub.background(resumeImport(hub, record))
    return
  }
  if (record.status === 'forking') {
    await abandonReservation(hub, record)
    return
  }
  await createStored(hub, record)
  const events = hub.events.created({ ...record, status: 'ready' })
  if (await hub.registry.finishRepository(record.id, { updatedAt: record.createdAt, events })) {
    hub.delivery.notify(record.id)
  }
}
