import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RefOutcome } from '../../refs/ref-edit.ts'
import type { StorageCommit, StoredEvent } from '../repository-storage.ts'
import { assertEventTexts } from '../event-texts.ts'
import { hasErrno, isAbsent } from './errno.ts'
import { removeFile, syncDirectory, writeNewFile, type GitDirectory } from './git-directory.ts'
import {
  listOutbox,
  markDone,
  outboxFolder,
  readRecord,
  recordedTarget,
  recordOf,
  removeRecord,
  TEXTS_PER_RECORD,
  writeRecord,
  type OutboxRecord,
} from './outbox-records.ts'
import type { RefChange } from './ref-change.ts'
import type { RefReader } from './ref-reader.ts'

/** A record that is not done after so long was left by a process that died, in milliseconds. */
const ABANDONED_AFTER = 10_000
const FIRST_PAUSE = 2
const LONGEST_PAUSE = 50

/** Events that are on disk while the refs they tell of have not moved yet. */
export interface AnnouncedEvents {
  /** Says what came of it, once the refs have moved. */
  settle(outcomes: readonly RefOutcome[]): Promise<void>
}

/**
 * Writes down what a step is about to tell, before its refs move: so that a crash on the way loses neither the refs nor the events, and
 * leaves no events of what did not happen. All refs of the step have to move at once.
 */
export async function announceEvents(
  directory: GitDirectory,
  events: NonNullable<StorageCommit['events']>,
  outcomes: readonly RefOutcome[],
  changes: readonly RefChange[],
): Promise<AnnouncedEvents> {
  const texts = assertEventTexts(events(outcomes))
  const moves = changes.map(({ edit, before }) => {
    return { name: edit.name, before: recordedTarget(before), after: recordedTarget(edit.target) }
  })
  const number = texts.length === 0 ? undefined : await writeRecord(directory, { moves, texts })
  return {
    async settle(found) {
      const wrong = found.some(({ kind }, at) => kind !== outcomes[at]?.kind)
      if (!wrong && number !== undefined) {
        await markDone(directory, number)
        if (await isLost(directory, number)) await tell(directory, texts)
      }
      if (!wrong) return
      if (number !== undefined) await removeRecord(directory, number)
      if (found.some(({ kind }) => kind === 'applied')) await tell(directory, assertEventTexts(events(found)))
    },
  }
}

/** Writes down what a step has told that moved no refs. */
export async function tellEvents(
  directory: GitDirectory,
  events: NonNullable<StorageCommit['events']>,
): Promise<void> {
  await tell(directory, assertEventTexts(events([])))
}

async function tell(directory: GitDirectory, texts: readonly string[]): Promise<void> {
  if (texts.length > 0) await markDone(directory, await writeRecord(directory, { moves: [], texts }))
}

/** Whether somebody took a record for abandoned and removed it, because it took so long. */
async function isLost({ fs, path }: GitDirectory, number: number): Promise<boolean> {
  const { records, dropped } = await listOutbox(fs, path)
  return !records.includes(number) && recordOf(dropped) < number
}

/** What reading an outbox takes. */
export interface OutboxPlace {
  readonly reader: RefReader
  readonly directory: () => Promise<GitDirectory>
}

/** The texts that were not dropped, oldest first. */
export async function readOutbox(place: OutboxPlace, limit: number): Promise<StoredEvent[]> {
  const directory = await place.directory()
  const { fs, path } = directory
  const read: StoredEvent[] = []
  for (let pause = FIRST_PAUSE; ; pause = Math.min(LONGEST_PAUSE, 2 * pause)) {
    const { records, done, dropped } = await listOutbox(fs, path)
    const left = records.filter((number) => number >= recordOf(Math.max(0, dropped)))
    const from = read.at(-1)?.sequence ?? dropped
    let blocked = false
    for (const [at, number] of left.entries()) {
      if ((number + 1) * TEXTS_PER_RECORD <= from + 1) continue
      const record = await readRecord(fs, path, number)
      const later = left.slice(at + 1)
      const state = done.has(number) ? 'happened' : await judgeRecord(place, directory, number, record, later)
      if (state === 'removed') continue
      if (state === 'open') {
        // Nothing may come in front of what was read. What others have committed behind it is worth waiting for.
        blocked = later.some((one) => done.has(one))
        break
      }
      for (const [index, text] of (record?.texts ?? []).entries()) {
        const sequence = number * TEXTS_PER_RECORD + index
        if (sequence > from && read.length < limit) read.push({ sequence, text })
      }
      if (read.length >= limit) return read
    }
    if (!blocked) return read
    await sleep(pause)
  }
}

/** Decides about a record that is not done: it may be under way, or its process may have died before or after the refs moved. */
async function judgeRecord(
  place: OutboxPlace,
  directory: GitDirectory,
  number: number,
  record: OutboxRecord | undefined,
  later: readonly number[],
): Promise<'happened' | 'open' | 'removed'> {
  if (record !== undefined && (await hasHappened(place, directory, record, later))) {
    await markDone(directory, number)
    return 'happened'
  }
  const path = join(outboxFolder(directory.path), `${number}.json`)
  try {
    const { mtimeMs } = await directory.fs.stat(path)
    if (Date.now() - mtimeMs < ABANDONED_AFTER) return 'open'
  } catch (error) {
    if (!isAbsent(error)) throw error
  }
  await removeRecord(directory, number)
  return 'removed'
}

/**
 * Whether the refs of a record have moved: by what a later record found there, or else by what they are now. They move all at once, so
 * one of them tells it.
 */
async function hasHappened(
  { reader }: OutboxPlace,
  { fs, path }: GitDirectory,
  { moves }: OutboxRecord,
  later: readonly number[],
): Promise<boolean> {
  if (moves.length === 0) return true
  const found = new Map<string, string | null>()
  for (const number of later) {
    for (const { name, before } of (await readRecord(fs, path, number))?.moves ?? []) {
      if (!found.has(name)) found.set(name, before)
    }
  }
  for (const { name, before } of moves) {
    const now = found.has(name) ? found.get(name) : recordedTarget((await reader.read(name))?.target)
    if (now !== before) return true
  }
  return false
}

/** Forgets texts up to and including this sequence. */
export async function dropFromOutbox(directory: GitDirectory, through: number): Promise<void> {
  const { fs, path } = directory
  const { records, dropped } = await listOutbox(fs, path)
  const last = records.at(-1)
  if (last === undefined) return
  // What is not there yet cannot be meant.
  const highest = Math.min(through, (last + 1) * TEXTS_PER_RECORD - 1)
  if (!(highest > dropped)) return
  const folder = outboxFolder(path)
  try {
    await writeNewFile(directory, join(folder, `${highest}.dropped`), new Uint8Array(0))
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error
  }
  await syncDirectory(directory, folder)
  for (const number of records) {
    if ((number + 1) * TEXTS_PER_RECORD - 1 <= highest || (await isRead(directory, number, highest))) {
      await removeRecord(directory, number)
    }
  }
  for (const name of (await listOutbox(fs, path)).obsolete) await removeFile(fs, join(folder, name))
}

/** Whether all texts of a record are dropped. */
async function isRead({ fs, path }: GitDirectory, number: number, dropped: number): Promise<boolean> {
  if (number * TEXTS_PER_RECORD > dropped) return false
  const record = await readRecord(fs, path, number)
  return record !== undefined && number * TEXTS_PER_RECORD + record.texts.length - 1 <= dropped
}
