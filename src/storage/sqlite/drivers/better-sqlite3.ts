import type { SqliteDatabase } from '../sqlite-database.ts'
import { createFileDatabase, type FileDatabaseOptions, type SqliteConnection } from './file-database.ts'

/** A `Database` of better-sqlite3. */
export interface BetterSqlite3Connection extends SqliteConnection {
  /** The path it was opened with. */
  readonly name: string
}

/**
 * Drives a database through better-sqlite3.
 *
 * @param connection open for writing, and used for nothing else.
 * @example createBetterSqlite3Database(new Database('/srv/git.db'))
 */
export function createBetterSqlite3Database(
  connection: BetterSqlite3Connection,
  options: FileDatabaseOptions = {},
): SqliteDatabase {
  return createFileDatabase(connection, connection.name, options)
}
