import type { SqliteDatabase } from '../sqlite-database.ts'
import { createFileDatabase, type FileDatabaseOptions, type SqliteConnection } from './file-database.ts'

/** A `Database` of `bun:sqlite`. */
export interface BunSqliteConnection extends SqliteConnection {
  /** The path it was opened with. */
  readonly filename: string
}

/**
 * Drives a database through `bun:sqlite`.
 *
 * @param connection open for writing, and used for nothing else.
 * @example createBunDatabase(new Database('/srv/git.db'))
 */
export function createBunDatabase(
  connection: BunSqliteConnection,
  options: FileDatabaseOptions = {},
): SqliteDatabase {
  return createFileDatabase(connection, connection.filename, options)
}
