import type { ListedObject } from '../../../storage/manifest/bucket.ts'
import type { RegistryEvent } from '../records.ts'
import type { RegistryEvents } from '../registry.ts'
import { changeLive, noteOutbox, readAddress, withEvents, type BucketState } from './bucket-state.ts'
import { NO_DOCUMENT, type NameDocument, type OutboxEvent } from './documents.ts'

/** The outboxes of a bucket, each in the document of a name or, for what is not there, in one of its own, or in both. */
export interface BucketOutbox {
  append(repository: string, events: RegistryEvents): Promise<void>
  list(limit: number, after?: string): Promise<string[]>
  read(repository: string, limit: number): Promise<RegistryEvent[]>
  drop(repository: string, sequences: readonly number[]): Promise<void>
}

/** From this age on, in milliseconds, a note of an empty outbox is forgotten: whoever made it has long stored its events, or died. */
const OLD_NOTE = 600_000

export function createBucketOutbox(state: BucketState): BucketOutbox {
  const { objects, keys } = state

  /** What notes lead to, and the notes by that. */
  const readNotes = async (repository: string): Promise<Map<string, ListedObject[]>> => {
    const documents = new Map<string, ListedObject[]>()
    for (const notes of groupNotes(await objects.list(keys.outboxesOf(repository)))) {
      const [note] = notes
      const key = note && (await objects.read<string>(note.key))
      if (key !== undefined) documents.set(key, notes)
    }
    return documents
  }

  return {
    async append(repository, events) {
      if (events.length === 0) return
      const address = await readAddress(state, repository)
      const appended = await changeLive(state, address, events, (document) => ({ document, answer: true }))
      if (appended === true) return
      const key = keys.stray(repository)
      await noteOutbox(state, 'stray', repository, key)
      await objects.change<NameDocument, undefined>(key, (found) => ({
        value: withEvents(state, found ?? NO_DOCUMENT, { kind: 'stray', repository }, events),
        answer: undefined,
      }))
    },

    async list(limit, after = '') {
      const names = new Set<string>()
      for (const { key } of await objects.list(keys.outboxes)) {
        const name = key.slice(keys.outboxes.length).split('/', 1)[0] ?? ''
        if (name > after) names.add(name)
      }
      return [...names].sort().slice(0, limit)
    },

    async read(repository, limit) {
      const events: OutboxEvent[] = []
      for (const [key, notes] of await readNotes(repository)) {
        const outbox = (await objects.read<NameDocument>(key))?.outbox ?? []
        const own = outbox.filter((event) => event.repository === repository)
        events.push(...own)
        if (own.length > 0) continue
        const old = notes.filter(({ uploaded }) => uploaded < Date.now() - OLD_NOTE)
        await objects.delete(old.map((one) => one.key))
      }
      return events
        .sort((left, right) => left.sequence - right.sequence)
        .slice(0, limit)
        .map(({ sequence, text }) => ({ sequence, text }))
    },

    async drop(repository, sequences) {
      if (sequences.length === 0) return
      const dropped = new Set(sequences)
      for (const key of (await readNotes(repository)).keys()) {
        await objects.change<NameDocument, undefined>(key, (found) => {
          const outbox = found?.outbox.filter(
            (event) => event.repository !== repository || !dropped.has(event.sequence),
          )
          if (found === undefined || outbox?.length === found.outbox.length) return { answer: undefined }
          return { value: { ...found, outbox: outbox ?? [] }, answer: undefined }
        })
      }
    },
  }
}

/** Notes by the outbox that they are about: all of one lead to the same document. */
function groupNotes(notes: readonly ListedObject[]): ListedObject[][] {
  const groups = new Map<string, ListedObject[]>()
  for (const note of notes) {
    const outbox = note.key.slice(0, note.key.lastIndexOf('/'))
    groups.set(outbox, [...(groups.get(outbox) ?? []), note])
  }
  return [...groups.values()]
}
