import { isGitError } from '../../errors.ts'
import type { HubContext } from '../hub-context.ts'
import type { RegistryEvent } from '../registry/records.ts'
import { parseStoredEvent, type HubEvent, type HubEventType, type StoredHubEvent } from './hub-event.ts'
import { readPushPayload, type PushedCommits } from './push-payload.ts'

/** What reading outboxes takes of a hub. */
export type OutboxContext = Pick<HubContext, 'account' | 'registry' | 'repositories' | 'onError'>

/** How many events of a repository's own outbox are read at a time. */
const BATCH = 200

/** Events of one repository, from the registry and from its own outbox, ready to be delivered. */
export interface OutboxBatch {
  /** In the order in which they happened, without the sink's name. */
  readonly events: readonly HubEvent[]
  /** Whether the repository's own outbox has no more. */
  readonly isDrained: boolean
  /** Forgets them. */
  drop(): Promise<void>
}

interface Waiting {
  readonly id: string
  readonly stored: StoredHubEvent
}

/**
 * Reads what waits of one repository.
 *
 * @param listed its events from the registry.
 */
export async function readOutbox(
  context: OutboxContext,
  repository: string,
  listed: readonly RegistryEvent[],
  options: { readonly ownOutbox: boolean; readonly pushedCommits: PushedCommits },
): Promise<OutboxBatch> {
  const { registry, account } = context
  const own = options.ownOutbox ? await readOwn(context, repository, options.pushedCommits) : NOTHING
  const fromRegistry = listed.flatMap(({ sequence, text }) => waiting(`${repository}-r${sequence}`, text))
  const all = [...fromRegistry, ...own.waiting].sort((left, right) => left.stored.at - right.stored.at)
  return {
    events: all.map((one) => toHubEvent(one, account)),
    isDrained: own.count < BATCH,
    drop: async () => {
      await registry.dropEvents(listed.map(({ sequence }) => sequence))
      if (own.through !== undefined) await dropOwn(context, repository, own.through)
    },
  }
}

/** Moves what waits in a repository's own outbox to the registry, worded to its end, because the repository is about to be removed. */
export async function moveToRegistry(
  context: OutboxContext,
  repository: string,
  pushedCommits: PushedCommits,
): Promise<void> {
  for (;;) {
    const own = await readOwn(context, repository, pushedCommits)
    if (own.through === undefined) return
    const texts = own.waiting.map(({ id, stored }) => JSON.stringify({ ...stored, id }))
    await context.registry.appendEvents(repository, texts)
    await dropOwn(context, repository, own.through)
  }
}

interface OwnOutbox {
  readonly waiting: readonly Waiting[]
  /** How many texts were read. */
  readonly count: number
  /** The last sequence; `undefined` where there is none. */
  readonly through: number | undefined
}

const NOTHING: OwnOutbox = { waiting: [], count: 0, through: undefined }

async function readOwn(
  { repositories }: OutboxContext,
  id: string,
  pushedCommits: PushedCommits,
): Promise<OwnOutbox> {
  return whileThere(NOTHING, () =>
    repositories.use(id, async (repository) => {
      const stored = await repository.storage.readEvents(BATCH)
      if (stored.length === 0) return NOTHING
      const view = await repository.openView()
      try {
        const own: Waiting[] = []
        for (const { sequence, text } of stored) {
          for (const one of waiting(`${id}-p${sequence}`, text)) {
            const { push, ...rest } = one.stored
            const payload =
              push === undefined ? rest.payload : await readPushPayload(view, push, pushedCommits)
            own.push({ id: one.id, stored: { ...rest, payload } })
          }
        }
        return { waiting: own, count: stored.length, through: stored.at(-1)?.sequence }
      } finally {
        await view.close()
      }
    }),
  )
}

async function dropOwn({ repositories }: OutboxContext, id: string, through: number): Promise<void> {
  await whileThere(undefined, () => repositories.use(id, ({ storage }) => storage.dropEvents(through)))
}

/** Runs something with a repository; gives `otherwise` when it was removed. */
async function whileThere<T>(otherwise: T, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (isGitError(error, 'NOT_FOUND')) return otherwise
    throw error
  }
}

/** A text of an outbox; nothing for one that this version did not write. */
function waiting(id: string, text: string): readonly Waiting[] {
  const stored = parseStoredEvent(text)
  return stored === undefined ? [] : [{ id: stored.id ?? id, stored }]
}

function toHubEvent({ id, stored }: Waiting, account: string): HubEvent {
  const { name, namespace, repoName, at, payload } = stored
  const isOfAccount = name === 'created' || name === 'deleted' || name === 'forked' || name === 'imported'
  const type: HubEventType = `cf.artifacts.repo.${name}`
  return {
    id,
    type,
    source: { namespace, repoName, type: isOfAccount ? 'artifacts' : 'artifacts.repo' },
    metadata: {
      accountId: account,
      eventSubscriptionId: '',
      eventSchemaVersion: 1,
      eventTimestamp: new Date(at).toISOString(),
    },
    payload,
  }
}
