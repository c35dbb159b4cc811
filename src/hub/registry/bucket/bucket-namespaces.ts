import { nameKey } from '../../names.ts'
import type { NamespaceListing, NamespaceRecord } from '../records.ts'
import type { Page, PageRequest } from '../registry.ts'
import type { BucketState } from './bucket-state.ts'
import type { NamespaceDocument } from './documents.ts'
import { readRecords } from './namespace-index.ts'

/** False when the name is taken. */
export function createNamespace(state: BucketState, record: NamespaceRecord): Promise<boolean> {
  const { objects, keys, random } = state
  return objects.change<NamespaceDocument, boolean>(keys.namespace(record.name), (found) =>
    found === undefined ? { value: { record, epoch: random() }, answer: true } : { answer: false },
  )
}

export async function findNamespace(state: BucketState, name: string): Promise<NamespaceListing | undefined> {
  const document = await state.objects.read<NamespaceDocument>(state.keys.namespace(name))
  return document && toListing(state, document.record)
}

export async function listNamespaces(
  state: BucketState,
  { limit, after, offset = 0, withTotal }: PageRequest,
): Promise<Page<NamespaceListing>> {
  const { objects, keys } = state
  const all = await objects.list(keys.namespaces)
  const first = after === undefined ? '' : keys.namespace(String(after.value))
  const behind = all.map(({ key }) => key).filter((key) => key > first)
  const shown = behind.slice(offset, offset + limit)
  const documents = await objects.readAll<NamespaceDocument>(shown)
  const rows: NamespaceListing[] = []
  for (const document of documents) {
    // Deleted since it was listed.
    if (document !== undefined) rows.push(await toListing(state, document.record))
  }
  const last =
    behind.length > offset + limit ? documents.findLast((document) => document !== undefined) : undefined
  return {
    rows,
    ...(last === undefined ? {} : { next: { value: nameKey(last.record.name), id: '' } }),
    ...(withTotal === true ? { total: all.length } : {}),
  }
}

export async function deleteNamespace(
  state: BucketState,
  name: string,
): Promise<'deleted' | 'absent' | 'not-empty'> {
  const { objects, keys } = state
  if ((await objects.read(keys.namespace(name))) === undefined) return 'absent'
  if ((await readRecords(state, name)).length > 0) return 'not-empty'
  // A repository that is made meanwhile makes its namespace again.
  await objects.delete([keys.namespace(name)])
  await objects.delete([keys.namespaceIndex(name)])
  return 'deleted'
}

/** A namespace has been updated when its youngest repository was made, at the earliest. */
async function toListing(state: BucketState, record: NamespaceRecord): Promise<NamespaceListing> {
  const live = await readRecords(state, record.name)
  const updatedAt = live.reduce((latest, { createdAt }) => Math.max(latest, createdAt), record.updatedAt)
  return { ...record, updatedAt, repositoryCount: live.length }
}
