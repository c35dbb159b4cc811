import { join } from 'node:path'
import { decodeUtf8, encodeUtf8 } from '../../bytes/text.ts'
import { GitError } from '../../errors.ts'
import type { RefTarget } from '../../refs/ref.ts'
import { hasErrno, isAbsent } from './errno.ts'
import type { FileSystem } from './file-system.ts'
import {
  makeDurableDirectories,
  readFileIfThere,
  removeFile,
  syncDirectory,
  writeNewFile,
  type GitDirectory,
} from './git-directory.ts'

/*
 * The outbox is the folder packstone/events of a repository:
 *   <number>.json       what one step told, and which refs it was about to move: a record. Complete before the first of them moves.
 *   <number>.done       empty: the refs have moved. What did not get that far is judged by the refs, see outbox.ts.
 *   <sequence>.dropped  empty: texts up to this sequence were dropped. Of several the highest counts.
 * Numbers ascend, and none is used twice: at most one can create a name, and dropped ones are remembered.
 */

/** The most texts of one step: a sequence is the number of its record times this, plus its place in the record. */
export const TEXTS_PER_RECORD = 0x10000

/** A ref that a step moves, by the values it has before and after it. */
export interface RecordedMove {
  readonly name: string
  readonly before: string | null
  readonly after: string | null
}

export interface OutboxRecord {
  readonly moves: readonly RecordedMove[]
  readonly texts: readonly string[]
}

/** What is in the folder. */
export interface OutboxListing {
  /** Numbers of records, ascending. */
  readonly records: readonly number[]
  readonly done: ReadonlySet<number>
  /** The highest sequence that was dropped; -1 for none. */
  readonly dropped: number
  /** Markers that count no more. */
  readonly obsolete: readonly string[]
}

export function outboxFolder(path: string): string {
  return join(path, 'packstone', 'events')
}

/** A ref's value in a record. */
export function recordedTarget(target: RefTarget | null | undefined): string | null {
  if (target == null) return null
  return target.kind === 'direct' ? target.id : `ref: ${target.target}`
}

export async function listOutbox(fs: FileSystem, path: string): Promise<OutboxListing> {
  let names: string[]
  try {
    names = await fs.readdir(outboxFolder(path))
  } catch (error) {
    if (!isAbsent(error)) throw error
    names = []
  }
  const numbers = (ending: string): number[] =>
    names.filter((name) => name.endsWith(ending)).map((name) => Number.parseInt(name, 10))
  const markers = numbers('.dropped')
  const dropped = Math.max(-1, ...markers)
  const records = numbers('.json').sort((left, right) => left - right)
  const present = new Set(records)
  const done = numbers('.done')
  return {
    records,
    done: new Set(done),
    dropped,
    obsolete: [
      ...markers.filter((marker) => marker < dropped).map((marker) => `${marker}.dropped`),
      ...done
        .filter((number) => !present.has(number) && number < recordOf(dropped))
        .map((number) => `${number}.done`),
    ],
  }
}

/** The number of the record that has this sequence. */
export function recordOf(sequence: number): number {
  return Math.floor(sequence / TEXTS_PER_RECORD)
}

/**
 * Writes a record under the next free number, durable.
 *
 * @throws GitError `LIMIT_EXCEEDED`
 */
export async function writeRecord(directory: GitDirectory, record: OutboxRecord): Promise<number> {
  const { fs, path } = directory
  if (record.texts.length > TEXTS_PER_RECORD) {
    throw new GitError(
      'LIMIT_EXCEEDED',
      `a commit tells ${record.texts.length} events; at most ${TEXTS_PER_RECORD} are stored at once`,
      { details: { limit: 'events', maximum: TEXTS_PER_RECORD } },
    )
  }
  const folder = outboxFolder(path)
  await makeDurableDirectories(directory, folder)
  const content = encodeUtf8(JSON.stringify(record))
  for (;;) {
    const { records, dropped } = await listOutbox(fs, path)
    const number = Math.max(records.at(-1) ?? 0, recordOf(dropped)) + 1
    const file = join(folder, `${number}.json`)
    try {
      await writeNewFile(directory, file, content)
    } catch (error) {
      if (hasErrno(error, 'EEXIST')) continue
      throw error
    }
    // Somebody may have used the number and dropped it since the folder was listed.
    const now = await listOutbox(fs, path)
    if (recordOf(now.dropped) < number) {
      await syncDirectory(directory, folder)
      return number
    }
    await removeFile(fs, file)
  }
}

/** Reads a record; `undefined` when it is gone or was not written to its end. */
export async function readRecord(
  fs: FileSystem,
  path: string,
  number: number,
): Promise<OutboxRecord | undefined> {
  const bytes = await readFileIfThere(fs, join(outboxFolder(path), `${number}.json`))
  if (bytes === undefined) return undefined
  let parsed: unknown
  try {
    parsed = JSON.parse(decodeUtf8(bytes))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  return isRecord(parsed) ? parsed : undefined
}

function isRecord(value: unknown): value is OutboxRecord {
  if (typeof value !== 'object' || value === null || !('texts' in value) || !('moves' in value)) return false
  const { texts, moves } = value
  return Array.isArray(texts) && texts.every((text) => typeof text === 'string') && Array.isArray(moves)
}

/** Says that the refs of a record have moved. It need not be durable: the refs tell it too. */
export async function markDone({ fs, path }: GitDirectory, number: number): Promise<void> {
  const file = join(outboxFolder(path), `${number}.done`)
  try {
    await (await fs.open(file, 'wx', 0o666)).close()
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error
  }
}

export async function removeRecord(directory: GitDirectory, number: number): Promise<void> {
  const folder = outboxFolder(directory.path)
  for (const ending of ['json', 'done']) await removeFile(directory.fs, join(folder, `${number}.${ending}`))
}
