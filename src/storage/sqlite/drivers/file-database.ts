import { GitError } from '../../../errors.ts'
import type {
  Durability,
  SqliteDatabase,
  SqliteRow,
  SqliteStatement,
  SqliteValue,
} from '../sqlite-database.ts'

/** What a connection of `node:sqlite`, better-sqlite3 and `bun:sqlite` have in common. */
export interface SqliteConnection {
  exec(sql: string): unknown
  prepare(sql: string): {
    run(...parameters: SqliteValue[]): unknown
    get(...parameters: SqliteValue[]): unknown
    all(...parameters: SqliteValue[]): unknown[]
  }
  close(): unknown
}

export interface FileDatabaseOptions {
  /**
   * `full`, the default: what was acknowledged survives a crash of the machine. `normal`: the last commits may be lost then, but
   * nothing is torn; a crash of the process alone loses nothing either way.
   */
  readonly synchronous?: 'full' | 'normal'
}

/** How long a statement itself waits for a lock, in milliseconds: nothing else of the process runs meanwhile. */
const BUSY_TIMEOUT = 50

/** Bytes in a page of a new database. Larger than SQLite's own choice, since most of what is stored is long. */
const PAGE_BYTES = 8192

/**
 * Makes a database on disk of an engine's connection, with a write-ahead log: readers never wait, and one writer at a time,
 * of any process, takes the lock when its transaction begins.
 */
export function createFileDatabase(
  connection: SqliteConnection,
  location: string,
  options: FileDatabaseOptions = {},
): SqliteDatabase {
  const durable = options.synchronous ?? 'full'
  let synchronous: 'full' | 'normal' | undefined
  let configured = false

  // At first use rather than now, since others may be in the way and who calls is prepared to try again.
  const configure = (): void => {
    if (configured) return
    connection.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}; PRAGMA page_size = ${PAGE_BYTES}`)
    const mode = toRow(connection.prepare('PRAGMA journal_mode = WAL').get())?.['journal_mode']
    // A database in memory has one connection only, and no need of a log.
    if (mode !== 'wal' && mode !== 'memory') {
      throw new GitError(
        'UNSUPPORTED',
        `${location} cannot have a write-ahead log; expected a file on a local disk`,
        {
          details: { journalMode: String(mode) },
        },
      )
    }
    synchronize(durable)
    configured = true
  }
  const synchronize = (level: 'full' | 'normal'): void => {
    if (synchronous === level) return
    connection.exec(`PRAGMA synchronous = ${level}`)
    synchronous = level
  }

  return {
    location,
    exec(sql) {
      configure()
      connection.exec(sql)
    },
    prepare(sql) {
      configure()
      return wrapStatement(connection.prepare(sql))
    },
    transaction<T>(durability: Durability, work: () => T): T {
      configure()
      // A log that is not flushed by this commit is by the next one that is, as a whole.
      synchronize(durability === 'durable' ? durable : 'normal')
      connection.exec('BEGIN IMMEDIATE')
      let result: T
      try {
        result = work()
        connection.exec('COMMIT')
      } catch (error) {
        rollBack(connection)
        throw error
      }
      return result
    },
    close() {
      connection.close()
    },
  }
}

/** Ends a transaction that failed. After some failures, such as a full disk, SQLite has done so already. */
function rollBack(connection: SqliteConnection): void {
  try {
    connection.exec('ROLLBACK')
  } catch (error) {
    // A transaction that is still open makes the next one fail, loudly; the failure to report is the one before.
    if (!(error instanceof Error)) throw error
  }
}

function wrapStatement(statement: ReturnType<SqliteConnection['prepare']>): SqliteStatement {
  return {
    run(...parameters) {
      statement.run(...parameters)
    },
    get: (...parameters) => toRow(statement.get(...parameters)),
    all: (...parameters) => statement.all(...parameters).filter(isRow),
  }
}

/** The engines say in different ways that there is no row. */
function toRow(value: unknown): SqliteRow | undefined {
  return isRow(value) ? value : undefined
}

function isRow(value: unknown): value is SqliteRow {
  return typeof value === 'object' && value !== null
}
