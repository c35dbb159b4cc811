import { GitError } from '../../errors.ts'
import type { SqliteRow } from './sqlite-database.ts'

/** The value of a column that holds a whole number. */
export function numberIn(row: SqliteRow, column: string): number {
  const value = row[column]
  if (typeof value === 'number') return value
  throw unexpected(column, 'a number', value)
}

/** The value of a column that holds text. */
export function textIn(row: SqliteRow, column: string): string {
  const value = row[column]
  if (typeof value === 'string') return value
  throw unexpected(column, 'text', value)
}

/** The value of a column that holds bytes. */
export function bytesIn(row: SqliteRow, column: string): Uint8Array {
  const value = row[column]
  if (value instanceof Uint8Array) return value
  throw unexpected(column, 'bytes', value)
}

function unexpected(column: string, expected: string, value: unknown): GitError {
  return new GitError(
    'STORAGE',
    `column ${column} of the database holds ${typeof value}; expected ${expected}`,
  )
}
