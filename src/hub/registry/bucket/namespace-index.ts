import type { RepositoryRecord } from '../records.ts'
import type { BucketState } from './bucket-state.ts'
import type { NameDocument } from './documents.ts'

/**
 * What the documents of a namespace's names said when they were last read, in one object. It is never believed by itself: a list of the
 * documents tells which of them are still the same, and only the others are read. So it may be old, or lost, and nobody who changes a
 * repository has to write it.
 */
interface NamespaceIndex {
  readonly version: typeof VERSION
  readonly names: readonly IndexedName[]
}

interface IndexedName {
  readonly key: string
  /** Of the document, as it was listed before it was read. */
  readonly etag: string
  /** Absent for a name whose repository was deleted. */
  readonly record?: RepositoryRecord
}

const VERSION = 1

/** With so many documents that have to be read anew, by number and as a part of all, the index is written again. */
const STALE = 50
const STALE_PART = 0.02

/** The records of a namespace, in order of names. One request for each thousand names, and one for each that changed since the last time. */
export async function readRecords(
  { objects, keys }: BucketState,
  namespace: string,
): Promise<RepositoryRecord[]> {
  const place = keys.namespaceIndex(namespace)
  const [listed, index] = await Promise.all([
    objects.list(keys.names(namespace)),
    objects.read<NamespaceIndex>(place),
  ])
  const known = new Map((index?.version === VERSION ? index.names : []).map((name) => [name.key, name]))
  const changed = listed.filter(({ key, etag }) => known.get(key)?.etag !== etag)
  const documents = await objects.readAll<NameDocument>(changed.map(({ key }) => key))
  for (const [at, { key, etag }] of changed.entries()) {
    const record = documents[at]?.record
    known.set(key, { key, etag, ...(record === undefined ? {} : { record }) })
  }
  const names = listed.flatMap(({ key }) => known.get(key) ?? [])
  if (changed.length > STALE && changed.length > STALE_PART * names.length) {
    const written: NamespaceIndex = { version: VERSION, names }
    await objects.write(place, written)
  }
  return names.flatMap(({ record }) => record ?? [])
}
