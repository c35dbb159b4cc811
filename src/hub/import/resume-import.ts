import { isArtifactsError } from '../artifacts-error.ts'
import type { HubContext } from '../hub-context.ts'
import type { RepositoryRecord } from '../registry/records.ts'
import { repositoryKey } from '../repositories/repository-id.ts'
import { abandonReservation } from '../repositories/reserve-repository.ts'
import { importResult, runTransfer } from './import-repository.ts'
import { parseImportWork } from './import-work.ts'

/**
 * Begins anew an import whose process died, for who has taken its lease: what was fetched is thrown away. What cannot be imported again,
 * because it needs credentials or fails, is given up, and its name is free again.
 */
export async function resumeImport(hub: HubContext, record: RepositoryRecord): Promise<void> {
  const source = record.work === null ? undefined : parseImportWork(record.work)
  if (source === undefined || hub.imports === undefined) {
    await abandonReservation(hub, record)
    return
  }
  try {
    hub.repositories.forget(record.id)
    await hub.storage.delete(repositoryKey(record.id))
    const transferred = await runTransfer(hub, record, source, hub.imports)
    const { defaultBranch, events } = importResult(hub, record, source, transferred)
    const { tokens } = await hub.registry.listTokens({ repository: record.id, now: 0, limit: 1, offset: 0 })
    const tokenEvents = tokens.flatMap((token) => hub.events.tokenCreated(record, token))
    const finished = { updatedAt: hub.now(), defaultBranch, events: [...events, ...tokenEvents] }
    if (await hub.registry.finishRepository(record.id, finished)) {
      hub.delivery.notify(record.id)
      return
    }
    await hub.storage.delete(repositoryKey(record.id))
  } catch (error) {
    if (!isArtifactsError(error)) hub.onError(error)
    await abandonReservation(hub, record)
  }
}
