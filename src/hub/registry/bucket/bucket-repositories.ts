import { nameKey } from '../../names.ts'
import { pageOf, sortRepositories } from '../memory/memory-pages.ts'
import type { RepositoryRecord } from '../records.ts'
import type { FinishedRepository, NewRepository, Page, RegistryEvents, RepositoryQuery } from '../registry.ts'
import { createNamespace } from './bucket-namespaces.ts'
import { changeDocument, changeLive, readAddress, readLive, type BucketState } from './bucket-state.ts'
import type { Address, NameDocument, NamespaceDocument } from './documents.ts'
import { readRecords } from './namespace-index.ts'

/** How long, in milliseconds, a note about a repository that never came is kept. */
const FORGOTTEN = 3_600_000

/** False when the name is taken. */
export async function createRepository(
  state: BucketState,
  { record, token, events = [] }: NewRepository,
): Promise<boolean> {
  const { objects, keys } = state
  const namespace = await ensureNamespace(state, record)
  const address: Address = { namespace, name: record.name, repository: record.id }
  const notes = [
    keys.repository(record.id),
    keys.token(token.id),
    keys.hash(token.hash),
    ...(record.status === 'ready' ? [] : [keys.unready + record.id]),
  ]
  // What leads to the repository comes before it, and leads nowhere when it does not come.
  for (const note of notes) await objects.write(note, address)
  const created = await changeDocument(state, address, events, (document) =>
    document.record === undefined
      ? {
          document: { record: { ...record, namespace }, tokens: [token], outbox: document.outbox },
          answer: true,
        }
      : // A put that seemed to fail may have been ours.
        { answer: document.record.id === record.id },
  )
  if (created) await ensureNamespace(state, record)
  else await objects.delete(notes)
  return created
}

/** Makes the namespace of a repository unless it is there; as it is spelled. */
async function ensureNamespace(
  state: BucketState,
  { namespace, createdAt }: RepositoryRecord,
): Promise<string> {
  const key = state.keys.namespace(namespace)
  for (;;) {
    const found = await state.objects.read<NamespaceDocument>(key)
    if (found !== undefined) return found.record.name
    await createNamespace(state, {
      name: namespace,
      jurisdiction: 'unrestricted',
      createdAt,
      updatedAt: createdAt,
    })
  }
}

export async function findRepository(
  { objects, keys }: BucketState,
  namespace: string,
  name: string,
): Promise<RepositoryRecord | undefined> {
  return (await objects.read<NameDocument>(keys.name(namespace, name)))?.record
}

export async function readRepository(state: BucketState, id: string): Promise<RepositoryRecord | undefined> {
  return (await readLive(state, await readAddress(state, id)))?.record
}

/** Looks at every record of the namespace. */
export async function listRepositories(
  state: BucketState,
  query: RepositoryQuery,
): Promise<Page<RepositoryRecord>> {
  const search = nameKey(query.search ?? '')
  const records = await readRecords(state, query.namespace)
  const found = records.filter(({ name }) => nameKey(name).includes(search))
  return pageOf(sortRepositories(found, query.sort, query.direction), query, query.direction)
}

/** False when it is gone, or ready already. */
export async function finishRepository(
  state: BucketState,
  id: string,
  result: FinishedRepository,
): Promise<boolean> {
  const { updatedAt, defaultBranch, source, lastPushAt, events = [] } = result
  const address = await readAddress(state, id)
  const finished = await changeLive(state, address, events, (document) => {
    const { record } = document
    if (record.status === 'ready') return { answer: false }
    const ready: RepositoryRecord = {
      ...record,
      status: 'ready',
      leaseUntil: null,
      work: null,
      updatedAt,
      defaultBranch: defaultBranch ?? record.defaultBranch,
      source: source === undefined ? record.source : source,
      lastPushAt: lastPushAt === undefined ? record.lastPushAt : lastPushAt,
    }
    return { document: { ...document, record: ready }, answer: true }
  })
  if (finished === true) await state.objects.delete([state.keys.unready + id])
  return finished === true
}

export function renewLease(
  state: BucketState,
  id: string,
  leaseUntil: number,
  work?: string,
): Promise<boolean> {
  return changeUnready(state, id, (record) => ({ ...record, leaseUntil, work: work ?? record.work }))
}

export function takeLease(state: BucketState, id: string, now: number, leaseUntil: number): Promise<boolean> {
  return changeUnready(state, id, (record) =>
    record.leaseUntil !== null && record.leaseUntil <= now ? { ...record, leaseUntil } : undefined,
  )
}

export async function listStale(state: BucketState, now: number, limit: number): Promise<RepositoryRecord[]> {
  const { objects, keys } = state
  const stale: RepositoryRecord[] = []
  for (const { key, uploaded } of await objects.list(keys.unready)) {
    const record = await readRepository(state, key.slice(keys.unready.length))
    if (record?.status === 'ready' || (record === undefined && uploaded < Date.now() - FORGOTTEN)) {
      await objects.delete([key])
    } else if (record?.leaseUntil !== undefined && record.leaseUntil !== null && record.leaseUntil <= now) {
      stale.push(record)
    }
  }
  return stale.sort((left, right) => (left.leaseUntil ?? 0) - (right.leaseUntil ?? 0)).slice(0, limit)
}

export async function recordPush(state: BucketState, id: string, at: number): Promise<void> {
  await changeLive(state, await readAddress(state, id), [], (document) => {
    const { record } = document
    const lastPushAt = Math.max(record.lastPushAt ?? at, at)
    const updatedAt = Math.max(record.updatedAt, at)
    if (lastPushAt === record.lastPushAt && updatedAt === record.updatedAt) return { answer: undefined }
    return { document: { ...document, record: { ...record, lastPushAt, updatedAt } }, answer: undefined }
  })
}

/** False when there is none of this id. */
export async function deleteRepository(
  state: BucketState,
  id: string,
  options: { readonly tombstone: boolean; readonly events?: RegistryEvents },
): Promise<boolean> {
  const { objects, keys } = state
  const address = await readAddress(state, id)
  if ((await readLive(state, address)) === undefined || address === undefined) return false
  const namespace = await objects.read<NamespaceDocument>(keys.namespace(address.namespace))
  // It counts only once the repository is gone.
  await objects.write(keys.cleanups + id, address)
  const tokens = await changeLive(state, address, options.events ?? [], (document) => ({
    document: {
      tokens: [],
      outbox: document.outbox,
      ...(options.tombstone && namespace !== undefined ? { tombstone: { id, epoch: namespace.epoch } } : {}),
    },
    answer: document.tokens,
  }))
  if (tokens === undefined) return false
  await objects.delete([
    keys.unready + id,
    ...tokens.flatMap((token) => [keys.token(token.id), keys.hash(token.hash)]),
  ])
  return true
}

export async function findTombstone(
  { objects, keys }: BucketState,
  namespace: string,
  name: string,
): Promise<string | undefined> {
  const document = await objects.read<NameDocument>(keys.name(namespace, name))
  if (document?.tombstone === undefined || document.record !== undefined) return undefined
  const space = await objects.read<NamespaceDocument>(keys.namespace(namespace))
  return space?.epoch === document.tombstone.epoch ? document.tombstone.id : undefined
}

export async function listCleanups(state: BucketState, limit: number): Promise<string[]> {
  const { objects, keys } = state
  const ids: string[] = []
  for (const { key } of await objects.list(keys.cleanups)) {
    const id = key.slice(keys.cleanups.length)
    // One that is still there was noted by a call that was broken off.
    if ((await readRepository(state, id)) === undefined) ids.push(id)
    if (ids.length === limit) break
  }
  return ids
}

export async function finishCleanup({ objects, keys }: BucketState, id: string): Promise<void> {
  // The note goes last: what is left of this is done again.
  await objects.delete([keys.repository(id)])
  await objects.delete([keys.cleanups + id])
}

async function changeUnready(
  state: BucketState,
  id: string,
  change: (record: RepositoryRecord) => RepositoryRecord | undefined,
): Promise<boolean> {
  const changed = await changeLive(state, await readAddress(state, id), [], (document) => {
    const record = document.record.status === 'ready' ? undefined : change(document.record)
    return record === undefined ? { answer: false } : { document: { ...document, record }, answer: true }
  })
  return changed === true
}
