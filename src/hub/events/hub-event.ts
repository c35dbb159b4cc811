/** What happened, by the names of Cloudflare's event types behind `cf.artifacts.repo.`. */
export type HubEventName =
  | 'created'
  | 'deleted'
  | 'forked'
  | 'imported'
  | 'pushed'
  | 'cloned'
  | 'fetched'
  | 'token.created'
  | 'token.revoked'

export type HubEventType = `cf.artifacts.repo.${HubEventName}`

/** An event as it is delivered: the body of a queue message of Cloudflare Artifacts, with an id. */
export interface HubEvent {
  /** The same each time one event is delivered, which may be more than once. */
  readonly id: string
  readonly type: HubEventType
  readonly source: {
    readonly namespace: string
    readonly repoName: string
    /** `artifacts` for what happens to repositories, `artifacts.repo` for what happens in one. */
    readonly type: 'artifacts' | 'artifacts.repo'
  }
  readonly metadata: {
    readonly accountId: string
    /** The name of the sink. */
    readonly eventSubscriptionId: string
    readonly eventSchemaVersion: 1
    readonly eventTimestamp: string
  }
  readonly payload: Readonly<Record<string, unknown>>
}

/** A change of a ref as it waits in the outbox: the commits it brought are read when it is delivered. */
export interface StoredPush {
  readonly ref: string
  /** The zero id where the ref was created, and after where it was deleted. */
  readonly before: string
  readonly after: string
}

/** An event as it waits in an outbox. */
export interface StoredHubEvent {
  /** Where it has one already; otherwise it is made of its place in the outbox. */
  readonly id?: string
  readonly name: HubEventName
  readonly namespace: string
  readonly repoName: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Complete, except where `push` is. */
  readonly payload: Readonly<Record<string, unknown>>
  readonly push?: StoredPush
}

export function encodeStoredEvent(event: StoredHubEvent): string {
  return JSON.stringify(event)
}

/** Reads an event of an outbox; `undefined` for a text that this version did not write. */
export function parseStoredEvent(text: string): StoredHubEvent | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  return isStoredEvent(value) ? value : undefined
}

function isStoredEvent(value: unknown): value is StoredHubEvent {
  if (typeof value !== 'object' || value === null) return false
  const { id, name, namespace, repoName, at, payload, push } = value as Partial<Record<string, unknown>>
  return (
    (id === undefined || typeof id === 'string') &&
    typeof name === 'string' &&
    typeof namespace === 'string' &&
    typeof repoName === 'string' &&
    typeof at === 'number' &&
    typeof payload === 'object' &&
    payload !== null &&
    (push === undefined || (typeof push === 'object' && push !== null))
  )
}
