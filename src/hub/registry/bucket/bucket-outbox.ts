import type { ListedObject } from '../../../storage/manifest/bucket.ts'
import type { RegistryEvent } from '../records.ts'
import type { RegistryEvents } from '../registry.ts'
import { changeLive, noteOutbox, readAddress, withEvents, type BucketState } from './bucket-state.ts'
import { NO_DOCUMENT, type NameDocument } from './documents.ts'

/** The outboxes of a bucket, each in the document of a name or, for what is not there, in one of its own. */
export interface BucketOutbox {
  append(repository: string, events: RegistryEvents): Promise<void>
  read(limit: number): Promise<RegistryEvent[]>
  drop(sequences: readonly number[]): Promise<void>
}

/** From this age on, in milliseconds, a note of an empty outbox is forgotten: whoever made it has long stored its events, or died. */
const OLD_NOTE = 600_000

export function createBucketOutbox(state: BucketState): BucketOutbox {
  const { objects, keys } = state
  /** The document that each event was read from. Two processes may, once in a long while, number two events alike. */
  const origins = new Map<number, string>()

  const read = async (limit: number): Promise<RegistryEvent[]> => {
    origins.clear()
    const events: RegistryEvent[] = []
    for (const notes of groupNotes(await objects.list(keys.outboxes))) {
      const [note] = notes
      const key = note && (await objects.read<string>(note.key))
      const outbox = key === undefined ? [] : ((await objects.read<NameDocument>(key))?.outbox ?? [])
      for (const event of outbox) {
        // Of two of one number the second one is read once the first one is dropped.
        if (key === undefined || origins.has(event.sequence)) continue
        origins.set(event.sequence, key)
        events.push(event)
      }
      if (outbox.length > 0) continue
      const old = notes.filter(({ uploaded }) => uploaded < Date.now() - OLD_NOTE)
      await objects.delete(old.map((one) => one.key))
    }
    return events.sort((left, right) => left.sequence - right.sequence).slice(0, limit)
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
        value: withEvents(state, found ?? NO_DOCUMENT, repository, events),
        answer: undefined,
      }))
    },
    read,
    async drop(sequences) {
      // Another process may have read them.
      if (sequences.some((sequence) => !origins.has(sequence))) await read(Infinity)
      const dropped = new Map<string, Set<number>>()
      for (const sequence of sequences) {
        const key = origins.get(sequence)
        if (key === undefined) continue
        dropped.set(key, (dropped.get(key) ?? new Set()).add(sequence))
        origins.delete(sequence)
      }
      for (const [key, numbers] of dropped) {
        await objects.change<NameDocument, undefined>(key, (found) => {
          if (found === undefined) return { answer: undefined }
          const outbox = found.outbox.filter(({ sequence }) => !numbers.has(sequence))
          return { value: { ...found, outbox }, answer: undefined }
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
