import { GitError } from '../../errors.ts'
import type { SqliteDatabase } from './sqlite-database.ts'

/** Tables that belong together, and how they came to be what they are. */
export interface VersionedTables {
  /** For messages, e.g. `the registry`. */
  readonly what: string
  /** The table that has their version. */
  readonly versionTable: string
  /** The n-th takes a database from version n to n + 1. A step that has been released never changes. */
  readonly steps: readonly string[]
  /** Refuses a database that the tables cannot be in, by throwing. */
  readonly check?: (database: SqliteDatabase) => void
}

/**
 * Brings the tables of a database to the version that this code works with.
 *
 * @throws GitError `UNSUPPORTED` for tables of a later version; whatever `check` throws
 */
export function migrate(database: SqliteDatabase, tables: VersionedTables): void {
  const { what, versionTable, steps, check } = tables
  // Looking before writing: to open what is up to date, nobody has to wait for a lock.
  if (readVersion(database, versionTable) === steps.length) return
  database.transaction('durable', () => {
    const version = readVersion(database, versionTable)
    if (version > steps.length) {
      throw new GitError(
        'UNSUPPORTED',
        `${what} in ${database.location} has version ${version}; this release knows ${steps.length}: use a newer one`,
        { details: { version, known: steps.length } },
      )
    }
    check?.(database)
    if (version === 0) database.exec(`CREATE TABLE IF NOT EXISTS ${versionTable} (version INTEGER NOT NULL)`)
    for (const step of steps.slice(version)) database.exec(step)
    database.exec(`DELETE FROM ${versionTable}; INSERT INTO ${versionTable} VALUES (${steps.length})`)
  })
}

/** 0 for a database without these tables. */
function readVersion(database: SqliteDatabase, versionTable: string): number {
  const table = database
    .prepare(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '${versionTable}'`)
    .get()
  if (table === undefined) return 0
  const version = database.prepare(`SELECT version FROM ${versionTable}`).get()?.['version']
  return typeof version === 'number' ? version : 0
}
