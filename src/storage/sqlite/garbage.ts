import { nextTurn } from './busy.ts'
import { numberIn } from './row-values.ts'
import { chunkId } from './schema.ts'
import type { SqliteStore } from './sqlite-store.ts'
import type { Statements } from './statements.ts'

/** Chunks removed in one transaction, so that others wait for milliseconds only. */
const CHUNKS_PER_STEP = 16

/**
 * Removes a file that no pack owns, grace period or not. What a crash leaves of it is removed by {@link collectExpired}.
 */
export async function removeFile(store: SqliteStore, id: number): Promise<void> {
  await store.transact('lazy', (sql) => {
    sql.condemnFile.run(id)
  })
  while (!(await store.transact('lazy', (sql) => removeChunks(sql, id)))) await nextTurn()
}

/**
 * Removes files that have expired, in short transactions.
 *
 * @param maxSteps after so many transactions it stops; the rest is for the next call.
 * @returns whether nothing is left to remove.
 */
export async function collectExpired(store: SqliteStore, maxSteps: number): Promise<boolean> {
  for (let step = 0; step < maxSteps; step++) {
    const row = await store.run((sql) => sql.findExpired.get(Date.now()))
    if (row === undefined) return true
    await store.transact('lazy', (sql) => removeChunks(sql, numberIn(row, 'id')))
    await nextTurn()
  }
  return false
}

/** Removes chunks from the end of an expired file, and at last the file: then true, as when it is gone or not expired. */
function removeChunks(sql: Statements, file: number): boolean {
  if (sql.condemnExpired.get(file, Date.now()) === undefined) return true
  const chunks = sql.lastChunks.all(chunkId(file, 0), chunkId(file + 1, 0), CHUNKS_PER_STEP)
  for (const chunk of chunks) sql.deleteChunk.run(numberIn(chunk, 'id'))
  if (chunks.length === CHUNKS_PER_STEP) return false
  sql.deleteCondemned.run(file)
  return true
}

/** How long after one clean-up the next is due, in milliseconds, and how many transactions it may take. */
const INTERVAL = 60_000
const STEPS_WHEN_DUE = 16

/** Sees to it that garbage is collected by those who make some: a bit of it, now and then, before they begin. */
export class GarbageSchedule {
  readonly #store: SqliteStore
  #due = 0

  constructor(store: SqliteStore) {
    this.#store = store
  }

  async collectIfDue(): Promise<void> {
    if (Date.now() < this.#due) return
    this.#due = Date.now() + INTERVAL
    if (!(await collectExpired(this.#store, STEPS_WHEN_DUE))) this.#due = 0
  }
}
