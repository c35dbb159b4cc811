import { nameKey } from '../../names.ts'
import type { RepositoryRecord } from '../records.ts'
import type { Page, PageRequest, Position, RepositorySort } from '../registry.ts'

/** A row, and its place in the order of its list. */
export interface PlacedRow<Row> {
  readonly row: Row
  readonly position: Position
}

/** Repositories in the order of a list. */
export function sortRepositories(
  records: readonly RepositoryRecord[],
  sort: RepositorySort,
  direction: 'asc' | 'desc',
): PlacedRow<RepositoryRecord>[] {
  const sign = direction === 'asc' ? 1 : -1
  return records
    .map((row) => ({ row, position: { value: valueOf(row, sort), id: row.id } }))
    .sort((left, right) => sign * comparePositions(left.position, right.position))
}

/** A part of a sorted list. */
export function pageOf<Row>(
  rows: readonly PlacedRow<Row>[],
  { limit, after, offset = 0, withTotal }: PageRequest,
  direction: 'asc' | 'desc',
): Page<Row> {
  const sign = direction === 'asc' ? 1 : -1
  const behind =
    after === undefined ? rows : rows.filter(({ position }) => sign * comparePositions(position, after) > 0)
  const shown = behind.slice(offset, offset + limit)
  const last = behind.length > offset + limit ? shown.at(-1) : undefined
  return {
    rows: shown.map(({ row }) => row),
    ...(last === undefined ? {} : { next: last.position }),
    ...(withTotal === true ? { total: rows.length } : {}),
  }
}

function valueOf(record: RepositoryRecord, sort: RepositorySort): string | number {
  switch (sort) {
    case 'created_at':
      return record.createdAt
    case 'updated_at':
      return record.updatedAt
    case 'last_push_at':
      return record.lastPushAt ?? -1
    case 'name':
      return nameKey(record.name)
  }
}

function comparePositions(left: Position, right: Position): number {
  if (left.value !== right.value) return left.value < right.value ? -1 : 1
  return left.id === right.id ? 0 : left.id < right.id ? -1 : 1
}
