import type { RegistryEvents } from '../registry.ts'
import { NO_DOCUMENT, type Address, type NameDocument, type OutboxEvent } from './documents.ts'
import type { JsonObjects } from './json-objects.ts'
import type { ObjectKeys, OutboxKind } from './object-keys.ts'

/** What the parts of a registry in a bucket share. */
export interface BucketState {
  readonly objects: JsonObjects
  readonly keys: ObjectKeys
  /** Numbers that grow, and that no other process makes but by accident. */
  readonly nextNumber: () => number
  readonly random: () => string
}

/** What a change of a document comes to. */
export interface Changed<R> {
  /** Absent: nothing is written. */
  readonly document?: NameDocument
  readonly answer: R
}

/**
 * Creates numbers that grow: from the clock, with room for so many in a millisecond, at random beyond the last one so that processes
 * rarely make the same.
 */
export function createNumbers(): () => number {
  let last = 0
  return () => {
    last = Math.max(last + 1, Date.now() * 2048 + Math.floor(Math.random() * 2048))
    return last
  }
}

/** Where the repository of an id is, or was. */
export function readAddress({ objects, keys }: BucketState, id: string): Promise<Address | undefined> {
  return objects.read<Address>(keys.repository(id))
}

/** The document of an address, as long as the repository has its name. */
export async function readLive(
  { objects, keys }: BucketState,
  address: Address | undefined,
): Promise<NameDocument | undefined> {
  if (address === undefined) return undefined
  const document = await objects.read<NameDocument>(keys.name(address.namespace, address.name))
  return document?.record?.id === address.repository ? document : undefined
}

/**
 * Changes the document of a repository, as long as it has its name.
 *
 * @param events go into its outbox with the change, unless nothing is changed.
 * @returns what `change` answers; `undefined` where there is no such repository
 */
export async function changeLive<R>(
  state: BucketState,
  address: Address | undefined,
  events: RegistryEvents,
  change: (document: NameDocument & { readonly record: NonNullable<NameDocument['record']> }) => Changed<R>,
): Promise<R | undefined> {
  if (address === undefined) return undefined
  return changeDocument<R | undefined>(state, address, events, (document) => {
    const { record } = document
    return record?.id === address.repository ? change({ ...document, record }) : { answer: undefined }
  })
}

/** Changes the document of a name, whoever has it. An absent one counts as empty. */
export async function changeDocument<R>(
  state: BucketState,
  address: Address,
  events: RegistryEvents,
  change: (document: NameDocument) => Changed<R>,
): Promise<R> {
  const { objects, keys } = state
  const key = keys.name(address.namespace, address.name)
  // Before the events are there, so that whoever looks for outboxes never misses one.
  if (events.length > 0) await noteOutbox(state, 'name', address.repository, key)
  return objects.change<NameDocument, R>(key, (found) => {
    const { document, answer } = change(found ?? NO_DOCUMENT)
    if (document === undefined) return { answer }
    const outbox = { kind: 'name', repository: address.repository } as const
    return { value: withEvents(state, document, outbox, events), answer }
  })
}

/** Notes that an outbox is going to have events. Each note is an object of its own, so that forgetting an old one never hurts a new one. */
export async function noteOutbox(
  { objects, keys, nextNumber }: BucketState,
  kind: OutboxKind,
  repository: string,
  key: string,
): Promise<void> {
  await objects.write(keys.outbox(kind, repository, nextNumber()), key)
}

/** A document with more events in its outbox. Numbers are even in the document of a name and odd elsewhere: a repository may be in both. */
export function withEvents(
  state: BucketState,
  document: NameDocument,
  { kind, repository }: { readonly kind: OutboxKind; readonly repository: string },
  events: RegistryEvents,
): NameDocument {
  if (events.length === 0) return document
  let last = document.outbox.at(-1)?.sequence ?? 0
  const added = events.map((text): OutboxEvent => {
    // In one document numbers grow, whatever the clocks of processes say.
    last = Math.max(last + 2, state.nextNumber() * 2 + (kind === 'stray' ? 1 : 0))
    return { sequence: last, repository, text }
  })
  return { ...document, outbox: [...document.outbox, ...added] }
}
