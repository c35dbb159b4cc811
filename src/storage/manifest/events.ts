import { decodeUtf8 } from '../../bytes/text.ts'
import { GitError } from '../../errors.ts'
import type { StoredEvent } from '../repository-storage.ts'
import type { BucketStore } from './bucket-store.ts'
import type { Manifest } from './manifest.ts'
import { readListed } from './repository-parts.ts'
import type { RepositoryState } from './repository-state.ts'

/**
 * The oldest events of an outbox, at most `limit`.
 *
 * @throws GitError `NOT_FOUND` when a file of them is gone, because the manifest is an old one.
 */
export async function readEvents(
  store: BucketStore,
  { events }: Manifest,
  limit: number,
): Promise<readonly StoredEvent[]> {
  const found: StoredEvent[] = []
  for (const { file } of events.files) {
    if (found.length >= limit) break
    const bytes = await readListed(store, file)
    found.push(...parseEvents(bytes, file).filter(({ sequence }) => sequence > events.dropped))
  }
  return [...found, ...events.inline].slice(0, limit)
}

/** The state without the events up to and including a sequence. */
export function dropEvents(
  state: RepositoryState,
  through: number,
): { readonly state: RepositoryState; readonly result: undefined } {
  const { manifest } = state
  const { events } = manifest
  const dropped = Math.min(through, events.last)
  if (!(dropped > events.dropped)) return { state, result: undefined }
  const left = {
    ...events,
    dropped,
    files: events.files.filter(({ last }) => last > dropped),
    inline: events.inline.filter(({ sequence }) => sequence > dropped),
  }
  return { state: { ...state, manifest: { ...manifest, events: left } }, result: undefined }
}

function parseEvents(bytes: Uint8Array, file: string): readonly StoredEvent[] {
  const value: unknown = JSON.parse(decodeUtf8(bytes))
  if (Array.isArray(value) && value.every(isEvent)) return value
  throw new GitError('STORAGE', `the file of events ${file} holds something else`)
}

function isEvent(value: unknown): value is StoredEvent {
  return (
    typeof value === 'object' &&
    value !== null &&
    'sequence' in value &&
    typeof value.sequence === 'number' &&
    'text' in value &&
    typeof value.text === 'string'
  )
}
