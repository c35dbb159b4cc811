import { isGitError } from '../../errors.ts'
import type { HubContext } from '../hub-context.ts'
import {
  encodeStoredEvent,
  parseStoredEvent,
  type HubEvent,
  type HubEventType,
  type StoredHubEvent,
} from './hub-event.ts'
import { readPushPayload, type PushedCommits } from './push-payload.ts'

/** What reading outboxes takes of a hub. */
export type OutboxContext = Pick<HubContext, 'account' | 'registry' | 'repositories' | 'onError'>

/** How many events of an outbox are read at a time. */
const BATCH = 200

/** An event, ready to be delivered. */
export interface OutboxEvent {
  /** Without the sink's name. */
  readonly event: HubEvent
  /** The same as a text for another outbox of the registry, worded to its end. */
  readonly text: string
}

/** Events of one repository, from the registry and from its own outbox. */
export interface OutboxBatch {
  /** In the order in which they happened. */
  readonly events: readonly OutboxEvent[]
  /** Whether neither outbox has more. */
  readonly isDrained: boolean
  /** Forgets them. */
  drop(): Promise<void>
}

interface Waiting {
  readonly id: string
  readonly stored: StoredHubEvent
}

/** Reads what waits of one repository. */
export async function readOutbox(
  context: OutboxContext,
  repository: string,
  options: { readonly ownOutbox: boolean; readonly pushedCommits: PushedCommits },
): Promise<OutboxBatch> {
  const { registry, account } = context
  const listed = await registry.readEvents(repository, BATCH)
  const own = options.ownOutbox ? await readOwn(context, repository, options.pushedCommits) : NOTHING
  const fromRegistry = listed.flatMap(({ sequence, text }) => waiting(`${repository}-r${sequence}`, text))
  const all = [...fromRegistry, ...own.waiting].sort((left, right) => left.stored.at - right.stored.at)
  return {
    events: all.map((one) => ({ event: toHubEvent(one, account), text: toText(one) })),
    isDrained: listed.length < BATCH && own.count < BATCH,
    drop: async () => {
      const sequences = listed.map(({ sequence }) => sequence)
      if (sequences.length > 0) await registry.dropEvents(repository, sequences)
      if (own.through !== undefined) await dropOwn(context, repository, own.through)
    },
  }
}

/** Reads the oldest events of an outbox of the registry that was filled with texts of {@link OutboxEvent}s. */
export async function readParked(
  { registry, account }: OutboxContext,
  outbox: string,
  limit: number,
): Promise<{ readonly sequence: number; readonly event: HubEvent | undefined }[]> {
  return (await registry.readEvents(outbox, limit)).map(({ sequence, text }) => {
    const [one] = waiting(`${outbox}-${sequence}`, text)
    return { sequence, event: one && toHubEvent(one, account) }
  })
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
    await context.registry.appendEvents(repository, own.waiting.map(toText))
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

function toText({ id, stored }: Waiting): string {
  return encodeStoredEvent({ ...stored, id })
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
