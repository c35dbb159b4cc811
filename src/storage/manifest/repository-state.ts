import { encodeUtf8 } from '../../bytes/text.ts'
import { hexLengthOf } from '../../object/object-format.ts'
import { parsePackedRefs } from '../../refs/packed-refs.ts'
import type { StoredEvent } from '../repository-storage.ts'
import type { BucketStore } from './bucket-store.ts'
import { isInline, type DroppedFile, type Manifest, type RefTableFile } from './manifest.ts'
import { randomId, type FileName } from './object-names.ts'
import { readShallow } from './repository-parts.ts'
import { compactTables, MAX_INLINE_REFS } from './ref-compaction.ts'
import { divideChanges, encodeInlineRefs, type RefLayers } from './ref-layers.ts'

/** A repository at one moment, as changes see and replace it. Immutable. */
export interface RepositoryState {
  /** All but the refs and the shallow list; its lists may have become too long for a manifest. */
  readonly manifest: Manifest
  readonly refs: RefLayers
  readonly shallow: readonly string[]
}

/** Shallow commits, and bytes of events, up to which they are in the manifest itself. */
const MAX_INLINE_SHALLOW = 200
const MAX_INLINE_EVENT_BYTES = 16 << 10

/** Ids of replacements that a manifest remembers. */
export const KEPT_TRANSACTIONS = 32

/**
 * Makes the manifest that replaces another: what has become too long for it is put into files first.
 *
 * @param before the manifest that is replaced.
 */
export async function sealState(
  store: BucketStore,
  before: Manifest,
  state: RepositoryState,
  transaction: string,
): Promise<Manifest> {
  const { manifest } = state
  const [refs, shallow, events] = await Promise.all([
    sealRefs(store, state),
    sealShallow(store, state),
    sealEvents(store, manifest),
  ])
  const next = {
    ...manifest,
    revision: before.revision + 1,
    transactions: [transaction, ...before.transactions].slice(0, KEPT_TRANSACTIONS),
    refs,
    shallow,
    events,
  }
  return { ...next, dropped: droppedFiles(store, before, next) }
}

/** What was dropped before and is still to be kept, and what this replacement drops: tables, lists and events. */
function droppedFiles(store: BucketStore, before: Manifest, next: Manifest): readonly DroppedFile[] {
  const now = Date.now()
  const filesBeside = ({ refs, shallow, events }: Manifest): FileName[] => [
    ...refs.tables.map(({ file }) => file),
    ...events.files.map(({ file }) => file),
    ...(isInline(shallow) ? [] : [shallow.file]),
  ]
  const kept = new Set(filesBeside(next))
  const gone = filesBeside(before).filter((file) => !kept.has(file))
  return [
    ...next.dropped.filter(([, at]) => now - at < store.gracePeriod),
    ...gone.map((file): DroppedFile => [file, now]),
  ]
}

async function sealRefs(store: BucketStore, { manifest, refs }: RepositoryState): Promise<Manifest['refs']> {
  const hexLength = hexLengthOf(manifest.objectFormat)
  const { tables } = manifest.refs
  const { table, symbolic } = divideChanges(refs.inline, hexLength)
  if (table.size <= MAX_INLINE_REFS) return { inline: encodeInlineRefs(refs.inline), tables }
  const open = tables.map((stored, at) => ({ stored, refs: refs.tables[at]! }))
  const { bytes, merged } = compactTables(table, open, hexLength)
  const inline = encodeInlineRefs(symbolic)
  const older = tables.slice(merged)
  if (bytes.length === 0) return { inline, tables: older }
  const written = await writeFile(store, manifest.id, bytes)
  store.tables.set(written.file, written.size, parsePackedRefs(bytes, hexLength))
  return { inline, tables: [written, ...older] }
}

async function sealShallow(
  store: BucketStore,
  { manifest, shallow }: RepositoryState,
): Promise<Manifest['shallow']> {
  if (shallow.length <= MAX_INLINE_SHALLOW) return shallow
  const bytes = encodeUtf8(shallow.join('\n'))
  if (!isInline(manifest.shallow)) {
    // As long as nobody changes it, the file that is there is the one.
    const stored = await readShallow(store, manifest)
    if (stored.length === shallow.length && stored.every((id, at) => id === shallow[at]))
      return manifest.shallow
  }
  const written = await writeFile(store, manifest.id, bytes)
  store.shallow.set(written.file, written.size, shallow)
  return written
}

async function sealEvents(store: BucketStore, { id, events }: Manifest): Promise<Manifest['events']> {
  const { inline } = events
  const last = inline.at(-1)
  const bytes = inline.reduce((sum, { text }) => sum + text.length, 0)
  if (last === undefined || bytes <= MAX_INLINE_EVENT_BYTES) return events
  const written = await writeFile(store, id, encodeEvents(inline))
  return { ...events, files: [...events.files, { ...written, last: last.sequence }], inline: [] }
}

export function encodeEvents(events: readonly StoredEvent[]): Uint8Array {
  return encodeUtf8(JSON.stringify(events))
}

/** Writes an immutable file of a repository. */
export async function writeFile(
  store: BucketStore,
  repository: string,
  bytes: Uint8Array,
): Promise<RefTableFile> {
  const file = `${repository}/${randomId()}`
  await store.bucket.put(store.names.file(file), bytes)
  return { file, size: bytes.length }
}
