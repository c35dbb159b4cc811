import { numberIn, textIn } from '../../../storage/sqlite/row-values.ts'
import type { SqliteRow, SqliteValue } from '../../../storage/sqlite/sqlite-database.ts'
import { nameKey } from '../../names.ts'
import type { RepositoryRecord, RepositoryStatus } from '../records.ts'
import type { FinishedRepository, NewRepository } from '../registry.ts'
import { countRepository, findNamespaceNumber, insertNamespace } from './namespace-rows.ts'
import { insertEvents } from './outbox-rows.ts'
import type { Prepare } from './registry-database.ts'
import { insertToken } from './token-rows.ts'

/** Every column of a record, for a query in which `r` is the repository and `n` its namespace. */
export const COLUMNS = `r.id, n.name AS namespace, r.key, r.name, r.description, r.default_branch, r.read_only, r.source, r.status,
  r.created_at, r.updated_at, r.last_push_at, r.lease_until, r.work`

const SELECT = `SELECT ${COLUMNS} FROM packstone_hub_repositories AS r
  JOIN packstone_hub_namespaces AS n ON n.number = r.namespace`

/** What the column `last_push_at` holds for a repository that nobody has pushed to. */
const NEVER = -1

export function findRepository(sql: Prepare, namespace: string, name: string): RepositoryRecord | undefined {
  const row = sql(`${SELECT} WHERE n.key = ? AND r.key = ?`).get(nameKey(namespace), nameKey(name))
  return row && toRepository(row)
}

export function readRepository(sql: Prepare, id: string): RepositoryRecord | undefined {
  const row = sql(`${SELECT} WHERE r.id = ?`).get(id)
  return row && toRepository(row)
}

export function listStale(sql: Prepare, now: number, limit: number): RepositoryRecord[] {
  return sql(`${SELECT} WHERE r.lease_until <= ? ORDER BY r.lease_until LIMIT ?`)
    .all(now, limit)
    .map(toRepository)
}

/** False when the name is taken. */
export function insertRepository(sql: Prepare, { record, token, events = [] }: NewRepository): boolean {
  const { createdAt } = record
  insertNamespace(sql, {
    name: record.namespace,
    jurisdiction: 'unrestricted',
    createdAt,
    updatedAt: createdAt,
  })
  const namespace = findNamespaceNumber(sql, record.namespace)
  if (namespace === undefined) return false
  const key = nameKey(record.name)
  const row = sql(
    `INSERT INTO packstone_hub_repositories (id, namespace, key, name, description, default_branch, read_only, source, status,
         created_at, updated_at, last_push_at, lease_until, work)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (namespace, key) DO NOTHING RETURNING number`,
  ).get(
    record.id,
    namespace,
    key,
    record.name,
    record.description,
    record.defaultBranch,
    record.readOnly ? 1 : 0,
    record.source,
    record.status,
    createdAt,
    record.updatedAt,
    record.lastPushAt ?? NEVER,
    record.leaseUntil,
    record.work,
  )
  if (row === undefined) return false
  sql('INSERT INTO packstone_hub_names (rowid, key) VALUES (?, ?)').run(numberIn(row, 'number'), key)
  sql('DELETE FROM packstone_hub_tombstones WHERE namespace = ? AND key = ?').run(namespace, key)
  countRepository(sql, namespace, 1, createdAt)
  insertToken(sql, token)
  insertEvents(sql, record.id, events)
  return true
}

/** False when it is gone, or ready already. */
export function finishRepository(sql: Prepare, id: string, result: FinishedRepository): boolean {
  const assignments = ["status = 'ready'", 'lease_until = NULL', 'work = NULL', 'updated_at = ?']
  const values: SqliteValue[] = [result.updatedAt]
  const assign = (column: string, value: SqliteValue | undefined): void => {
    if (value === undefined) return
    assignments.push(`${column} = ?`)
    values.push(value)
  }
  assign('default_branch', result.defaultBranch)
  assign('source', result.source)
  assign('last_push_at', result.lastPushAt === null ? NEVER : result.lastPushAt)
  const row = sql(
    `UPDATE packstone_hub_repositories SET ${assignments.join(', ')} WHERE id = ? AND status <> 'ready' RETURNING id`,
  ).get(...values, id)
  if (row === undefined) return false
  insertEvents(sql, id, result.events ?? [])
  return true
}

export function renewLease(sql: Prepare, id: string, leaseUntil: number, work?: string): boolean {
  return (
    sql(
      `UPDATE packstone_hub_repositories SET lease_until = ?, work = ifnull(?, work)
         WHERE id = ? AND status <> 'ready' RETURNING id`,
    ).get(leaseUntil, work ?? null, id) !== undefined
  )
}

export function takeLease(sql: Prepare, id: string, now: number, leaseUntil: number): boolean {
  return (
    sql(
      `UPDATE packstone_hub_repositories SET lease_until = ?
         WHERE id = ? AND status <> 'ready' AND lease_until <= ? RETURNING id`,
    ).get(leaseUntil, id, now) !== undefined
  )
}

export function recordPush(sql: Prepare, id: string, at: number): void {
  sql(
    `UPDATE packstone_hub_repositories SET last_push_at = max(last_push_at, ?), updated_at = max(updated_at, ?)
       WHERE id = ?`,
  ).run(at, at, id)
}

/** False when there is none of this id. */
export function deleteRepository(
  sql: Prepare,
  id: string,
  options: { readonly tombstone: boolean; readonly events?: readonly string[] },
): boolean {
  const row = sql(
    'SELECT number, namespace, key, updated_at FROM packstone_hub_repositories WHERE id = ?',
  ).get(id)
  if (row === undefined) return false
  const [number, namespace, key] = [numberIn(row, 'number'), numberIn(row, 'namespace'), textIn(row, 'key')]
  // The index holds no texts of its own: it has to be told what it forgets.
  sql(`INSERT INTO packstone_hub_names (packstone_hub_names, rowid, key) VALUES ('delete', ?, ?)`).run(
    number,
    key,
  )
  sql('DELETE FROM packstone_hub_repositories WHERE number = ?').run(number)
  sql('DELETE FROM packstone_hub_tokens WHERE repository = ?').run(id)
  countRepository(sql, namespace, -1, numberIn(row, 'updated_at'))
  if (options.tombstone) {
    sql(
      `INSERT INTO packstone_hub_tombstones (namespace, key, id) VALUES (?, ?, ?)
         ON CONFLICT (namespace, key) DO UPDATE SET id = excluded.id`,
    ).run(namespace, key, id)
  }
  sql('INSERT INTO packstone_hub_cleanups (id) VALUES (?) ON CONFLICT DO NOTHING').run(id)
  insertEvents(sql, id, options.events ?? [])
  return true
}

export function findTombstone(sql: Prepare, namespace: string, name: string): string | undefined {
  const row = sql(
    `SELECT t.id FROM packstone_hub_tombstones AS t JOIN packstone_hub_namespaces AS n ON n.number = t.namespace
       WHERE n.key = ? AND t.key = ?`,
  ).get(nameKey(namespace), nameKey(name))
  return row && textIn(row, 'id')
}

export function toRepository(row: SqliteRow): RepositoryRecord {
  const lastPushAt = numberIn(row, 'last_push_at')
  return {
    id: textIn(row, 'id'),
    namespace: textIn(row, 'namespace'),
    name: textIn(row, 'name'),
    description: row['description'] === null ? null : textIn(row, 'description'),
    defaultBranch: textIn(row, 'default_branch'),
    readOnly: numberIn(row, 'read_only') !== 0,
    source: row['source'] === null ? null : textIn(row, 'source'),
    // Written by us, from a record.
    status: textIn(row, 'status') as RepositoryStatus,
    createdAt: numberIn(row, 'created_at'),
    updatedAt: numberIn(row, 'updated_at'),
    lastPushAt: lastPushAt === NEVER ? null : lastPushAt,
    leaseUntil: row['lease_until'] === null ? null : numberIn(row, 'lease_until'),
    work: row['work'] === null ? null : textIn(row, 'work'),
  }
}
