import type { SqliteDatabase, SqliteRow, SqliteStatement, SqliteValue } from '../sqlite-database.ts'

/** The part of a Durable Object's `ctx.storage` that is used. */
export interface DurableObjectSqlStorage {
  readonly sql: {
    exec(
      query: string,
      ...parameters: (ArrayBuffer | string | number | null)[]
    ): {
      toArray(): Record<string, unknown>[]
    }
  }
  transactionSync<T>(work: () => T): T
}

export interface DurableObjectDatabaseOptions {
  /** What messages call it. Default `durable-object`. */
  readonly location?: string
}

/**
 * Drives the database of a Durable Object. Its output gate holds an answer back until everything before is on disk, so that
 * every transaction is durable in the eyes of those who hear of it.
 *
 * @param storage the `ctx.storage` of an object whose class is configured with SQLite.
 */
export function createDurableObjectDatabase(
  storage: DurableObjectSqlStorage,
  options: DurableObjectDatabaseOptions = {},
): SqliteDatabase {
  const query = (sql: string, parameters: readonly SqliteValue[]): SqliteRow[] =>
    storage.sql
      .exec(sql, ...parameters.map(toBinding))
      .toArray()
      .map(toRow)
  return {
    location: options.location ?? 'durable-object',
    exec(sql) {
      storage.sql.exec(sql).toArray()
    },
    // The engine keeps what it has prepared by its text.
    prepare: (sql): SqliteStatement => ({
      run(...parameters) {
        query(sql, parameters)
      },
      get: (...parameters) => query(sql, parameters)[0],
      all: (...parameters) => query(sql, parameters),
    }),
    transaction: (_durability, work) => storage.transactionSync(work),
    close() {
      // The runtime closes it when the object goes.
    },
  }
}

function toBinding(value: SqliteValue): ArrayBuffer | string | number | null {
  if (!(value instanceof Uint8Array)) return value
  const { buffer, byteLength } = value
  // Of a view on a part of a buffer, only that part is meant.
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) return buffer
  return value.slice().buffer
}

/** Bytes come as an ArrayBuffer of their own. */
function toRow(row: Record<string, unknown>): SqliteRow {
  for (const column of Object.keys(row)) {
    const value = row[column]
    if (value instanceof ArrayBuffer) row[column] = new Uint8Array(value)
  }
  return row
}
