import { numberIn, textIn } from '../../../storage/sqlite/row-values.ts'
import type { SqliteRow, SqliteValue } from '../../../storage/sqlite/sqlite-database.ts'
import { nameKey } from '../../names.ts'
import type { RepositoryRecord } from '../records.ts'
import type { Page, Position, RepositoryQuery, RepositorySort } from '../registry.ts'
import type { Prepare } from './registry-database.ts'
import { COLUMNS, toRepository } from './repository-rows.ts'

/** Up to so many rows that a search finds are sorted; where it finds more, the sorted list is read until there are enough. */
const MOST_SORTED = 5000
/** A namespace of no more repositories is searched name by name: the index of letters spans all namespaces. */
const SMALL_NAMESPACE = 5000
/** The letters that the index of names tells apart. */
const GRAM = 3

const SORTS: Readonly<Record<RepositorySort, { readonly column: string; readonly index: string }>> = {
  created_at: { column: 'created_at', index: 'packstone_hub_by_created_at' },
  updated_at: { column: 'updated_at', index: 'packstone_hub_by_updated_at' },
  last_push_at: { column: 'last_push_at', index: 'packstone_hub_by_last_push_at' },
  name: { column: 'key', index: 'packstone_hub_by_name' },
}

/** A part of a query, and its parameters in order. */
interface Part {
  readonly text: string
  readonly values: readonly SqliteValue[]
}

/**
 * A page of a namespace's repositories. Without a search it reads its rows and no others, from the index of its order. A search takes
 * the few names that have all its letters and sorts them, or, where there are many, goes along the order until the page is full.
 */
export function listRepositories(sql: Prepare, query: RepositoryQuery): Page<RepositoryRecord> {
  const found = sql('SELECT number, repositories FROM packstone_hub_namespaces WHERE key = ?').get(
    nameKey(query.namespace),
  )
  if (found === undefined) return { rows: [], ...(query.withTotal === true ? { total: 0 } : {}) }
  const namespace = numberIn(found, 'number')
  const count = numberIn(found, 'repositories')
  const search = nameKey(query.search ?? '')
  const withTotal = query.withTotal === true
  if (search === '') {
    return toPage(sql, query, inOrder(query, namespace, ''), () => (withTotal ? count : undefined))
  }
  const matches = matching(namespace, search, count)
  const some = sql(`SELECT count(*) AS total FROM (SELECT r.number ${matches.text} LIMIT ?)`).get(
    ...matches.values,
    MOST_SORTED + 1,
  )
  const few = some !== undefined && numberIn(some, 'total') <= MOST_SORTED
  const part = few ? sorted(query, matches) : inOrder(query, namespace, search)
  return toPage(sql, query, part, () => {
    if (!withTotal) return undefined
    const all = few ? some : sql(`SELECT count(*) AS total ${matches.text}`).get(...matches.values)
    return all === undefined ? 0 : numberIn(all, 'total')
  })
}

/** The repositories whose key has a text in it, in no order. */
function matching(namespace: number, search: string, count: number): Part {
  if (search.length < GRAM || count <= SMALL_NAMESPACE) {
    return {
      text: `FROM packstone_hub_repositories AS r INDEXED BY packstone_hub_by_name
        WHERE r.namespace = ? AND instr(r.key, ?) > 0`,
      values: [namespace, search],
    }
  }
  const grams = new Set<string>()
  for (let at = 0; at + GRAM <= search.length; at++) grams.add(search.slice(at, at + GRAM))
  return {
    text: `FROM packstone_hub_names AS f CROSS JOIN packstone_hub_repositories AS r ON r.number = f.rowid
      WHERE f.packstone_hub_names MATCH ? AND r.namespace = ? AND instr(r.key, ?) > 0`,
    values: [[...grams].map((gram) => `"${gram.replaceAll('"', '""')}"`).join(' AND '), namespace, search],
  }
}

/** A page of few matches: all of them are looked at. */
function sorted(query: RepositoryQuery, matches: Part): Part {
  const behind = behindPosition(query)
  return {
    text: `SELECT r.number ${matches.text} ${behind.text} ${orderOf(query)}`,
    values: [...matches.values, ...behind.values],
  }
}

/** A page in the order of an index, of names that have a text in them. */
function inOrder(query: RepositoryQuery, namespace: number, search: string): Part {
  const behind = behindPosition(query)
  return {
    text: `SELECT r.number FROM packstone_hub_repositories AS r INDEXED BY ${SORTS[query.sort].index}
      WHERE r.namespace = ? ${search === '' ? '' : 'AND instr(r.key, ?) > 0'} ${behind.text} ${orderOf(query)}`,
    values: [namespace, ...(search === '' ? [] : [search]), ...behind.values],
  }
}

function behindPosition({ sort, direction, after }: RepositoryQuery): Part {
  if (after === undefined) return { text: '', values: [] }
  const compare = direction === 'asc' ? '>' : '<'
  // A name is there once: it needs nothing to decide between equals.
  if (sort === 'name') return { text: `AND r.key ${compare} ?`, values: [after.value] }
  return { text: `AND (r.${SORTS[sort].column}, r.id) ${compare} (?, ?)`, values: [after.value, after.id] }
}

function orderOf({ sort, direction }: RepositoryQuery): string {
  const { column } = SORTS[sort]
  return `ORDER BY r.${column} ${direction}${sort === 'name' ? '' : `, r.id ${direction}`} LIMIT ? OFFSET ?`
}

function toPage(
  sql: Prepare,
  query: RepositoryQuery,
  numbers: Part,
  count: () => number | undefined,
): Page<RepositoryRecord> {
  const { limit, offset = 0, sort, direction } = query
  // Numbers first, from the index alone: rows are read only of those that are shown.
  const { column } = SORTS[sort]
  const rows = sql(
    `SELECT ${COLUMNS} FROM packstone_hub_repositories AS r JOIN packstone_hub_namespaces AS n ON n.number = r.namespace
       WHERE r.number IN (${numbers.text}) ORDER BY r.${column} ${direction}, r.id ${direction}`,
  ).all(...numbers.values, limit + 1, offset)
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  const total = count()
  return {
    rows: shown.map(toRepository),
    ...(last === undefined ? {} : { next: positionOf(last, column) }),
    ...(total === undefined ? {} : { total }),
  }
}

function positionOf(row: SqliteRow, column: string): Position {
  const value = column === 'key' ? textIn(row, column) : numberIn(row, column)
  return { value, id: textIn(row, 'id') }
}
