import { numberIn, textIn } from '../../../storage/sqlite/row-values.ts'
import type { PendingMark, PendingRepository, RegistryEvent } from '../records.ts'
import type { Prepare } from './registry-database.ts'

export function insertEvents(sql: Prepare, repository: string, events: readonly string[]): void {
  for (const text of events) {
    sql('INSERT INTO packstone_hub_events (repository, text) VALUES (?, ?)').run(repository, text)
  }
}

/** Goes from one name to the next along the index, however many events there are of each. */
const LIST_OUTBOXES = `
  WITH RECURSIVE outboxes (name) AS (
    SELECT min(repository) FROM packstone_hub_events WHERE repository > ?
    UNION ALL
    SELECT (SELECT min(repository) FROM packstone_hub_events WHERE repository > name)
    FROM outboxes WHERE name IS NOT NULL
  )
  SELECT name FROM outboxes WHERE name IS NOT NULL LIMIT ?`

export function listOutboxes(sql: Prepare, limit: number, after: string): string[] {
  return sql(LIST_OUTBOXES)
    .all(after, limit)
    .map((row) => textIn(row, 'name'))
}

export function readEvents(sql: Prepare, repository: string, limit: number): RegistryEvent[] {
  return sql('SELECT sequence, text FROM packstone_hub_events WHERE repository = ? ORDER BY sequence LIMIT ?')
    .all(repository, limit)
    .map((row) => ({ sequence: numberIn(row, 'sequence'), text: textIn(row, 'text') }))
}

export function dropEvents(sql: Prepare, repository: string, sequences: readonly number[]): void {
  for (const sequence of sequences) {
    sql('DELETE FROM packstone_hub_events WHERE sequence = ? AND repository = ?').run(sequence, repository)
  }
}

/** The new mark: numbers of `AUTOINCREMENT` only grow. */
export function markPending(sql: Prepare, repository: string, at: number): number {
  const row = sql('INSERT INTO packstone_hub_marks (repository, at) VALUES (?, ?) RETURNING mark').get(
    repository,
    at,
  )
  return row === undefined ? 0 : numberIn(row, 'mark')
}

export function clearPending(sql: Prepare, repository: string, marks: readonly number[]): void {
  for (const mark of marks) {
    sql('DELETE FROM packstone_hub_marks WHERE repository = ? AND mark = ?').run(repository, mark)
  }
}

const LIST_PENDING = `
  SELECT repository, mark, at FROM packstone_hub_marks
  WHERE repository IN (
    SELECT DISTINCT repository FROM packstone_hub_marks WHERE repository > ? ORDER BY repository LIMIT ?
  )
  ORDER BY repository, mark`

export function listPending(sql: Prepare, limit: number, after: string): PendingRepository[] {
  const pending = new Map<string, PendingMark[]>()
  for (const row of sql(LIST_PENDING).all(after, limit)) {
    const repository = textIn(row, 'repository')
    const marks = pending.get(repository) ?? []
    marks.push({ mark: numberIn(row, 'mark'), at: numberIn(row, 'at') })
    pending.set(repository, marks)
  }
  return [...pending].map(([repository, marks]) => ({ repository, marks }))
}
