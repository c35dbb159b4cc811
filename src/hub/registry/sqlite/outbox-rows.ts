import { numberIn, textIn } from '../../../storage/sqlite/row-values.ts'
import type { RegistryEvent } from '../records.ts'
import type { Prepare } from './registry-database.ts'

export function insertEvents(sql: Prepare, repository: string, events: readonly string[]): void {
  for (const text of events) {
    sql('INSERT INTO packstone_hub_events (repository, text) VALUES (?, ?)').run(repository, text)
  }
}

export function readEvents(sql: Prepare, limit: number): RegistryEvent[] {
  return sql('SELECT sequence, repository, text FROM packstone_hub_events ORDER BY sequence LIMIT ?')
    .all(limit)
    .map((row) => ({
      sequence: numberIn(row, 'sequence'),
      repository: textIn(row, 'repository'),
      text: textIn(row, 'text'),
    }))
}

export function dropEvents(sql: Prepare, sequences: readonly number[]): void {
  for (const sequence of sequences) {
    sql('DELETE FROM packstone_hub_events WHERE sequence = ?').run(sequence)
  }
}

/** The new mark: numbers of `AUTOINCREMENT` only grow. */
export function markPending(sql: Prepare, repository: string): number {
  const row = sql('INSERT OR REPLACE INTO packstone_hub_pending (repository) VALUES (?) RETURNING mark').get(
    repository,
  )
  return row === undefined ? 0 : numberIn(row, 'mark')
}

export function clearPending(sql: Prepare, repository: string, mark: number): void {
  sql('DELETE FROM packstone_hub_pending WHERE repository = ? AND mark = ?').run(repository, mark)
}

export function listPending(
  sql: Prepare,
  limit: number,
  after: string,
): { readonly repository: string; readonly mark: number }[] {
  return sql(
    'SELECT repository, mark FROM packstone_hub_pending WHERE repository > ? ORDER BY repository LIMIT ?',
  )
    .all(after, limit)
    .map((row) => ({ repository: textIn(row, 'repository'), mark: numberIn(row, 'mark') }))
}
