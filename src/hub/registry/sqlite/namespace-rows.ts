import { numberIn, textIn } from '../../../storage/sqlite/row-values.ts'
import type { SqliteRow } from '../../../storage/sqlite/sqlite-database.ts'
import { nameKey } from '../../names.ts'
import type { Jurisdiction, NamespaceListing, NamespaceRecord } from '../records.ts'
import type { Page, PageRequest } from '../registry.ts'
import type { Prepare } from './registry-database.ts'

const COLUMNS = 'name, jurisdiction, repositories, created_at, updated_at'

/** The number of a namespace; `undefined` where there is none. */
export function findNamespaceNumber(sql: Prepare, name: string): number | undefined {
  const row = sql('SELECT number FROM packstone_hub_namespaces WHERE key = ?').get(nameKey(name))
  return row && numberIn(row, 'number')
}

export function findNamespace(sql: Prepare, name: string): NamespaceListing | undefined {
  const row = sql(`SELECT ${COLUMNS} FROM packstone_hub_namespaces WHERE key = ?`).get(nameKey(name))
  return row && toNamespace(row)
}

/** False when the name is taken. */
export function insertNamespace(sql: Prepare, record: NamespaceRecord): boolean {
  const row = sql(
    `INSERT INTO packstone_hub_namespaces (key, name, jurisdiction, repositories, created_at, updated_at)
       VALUES (?, ?, ?, 0, ?, ?) ON CONFLICT (key) DO NOTHING RETURNING number`,
  ).get(nameKey(record.name), record.name, record.jurisdiction, record.createdAt, record.updatedAt)
  return row !== undefined
}

export function listNamespaces(sql: Prepare, page: PageRequest): Page<NamespaceListing> {
  const { limit, after, offset = 0 } = page
  const rows = sql(
    `SELECT ${COLUMNS} FROM packstone_hub_namespaces WHERE key > ? ORDER BY key LIMIT ? OFFSET ?`,
  )
    .all(after === undefined ? '' : String(after.value), limit + 1, offset)
    .map(toNamespace)
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  return {
    rows: shown,
    ...(last === undefined ? {} : { next: { value: nameKey(last.name), id: '' } }),
    ...(page.withTotal === true ? { total: countNamespaces(sql) } : {}),
  }
}

export function deleteNamespace(sql: Prepare, name: string): 'deleted' | 'absent' | 'not-empty' {
  const row = sql('SELECT number, repositories FROM packstone_hub_namespaces WHERE key = ?').get(
    nameKey(name),
  )
  if (row === undefined) return 'absent'
  if (numberIn(row, 'repositories') > 0) return 'not-empty'
  const number = numberIn(row, 'number')
  sql('DELETE FROM packstone_hub_tombstones WHERE namespace = ?').run(number)
  sql('DELETE FROM packstone_hub_namespaces WHERE number = ?').run(number)
  return 'deleted'
}

/** Notes that a namespace has one repository more or less. */
export function countRepository(sql: Prepare, number: number, change: 1 | -1, at: number): void {
  sql(
    `UPDATE packstone_hub_namespaces SET repositories = repositories + ?, updated_at = max(updated_at, ?)
       WHERE number = ?`,
  ).run(change, at, number)
}

function countNamespaces(sql: Prepare): number {
  const row = sql('SELECT count(*) AS total FROM packstone_hub_namespaces').get()
  return row === undefined ? 0 : numberIn(row, 'total')
}

function toNamespace(row: SqliteRow): NamespaceListing {
  return {
    name: textIn(row, 'name'),
    // Written by us, from a record.
    jurisdiction: textIn(row, 'jurisdiction') as Jurisdiction,
    repositoryCount: numberIn(row, 'repositories'),
    createdAt: numberIn(row, 'created_at'),
    updatedAt: numberIn(row, 'updated_at'),
  }
}
