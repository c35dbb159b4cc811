/** What a statement is given. Numbers are whole and below 2^53. */
export type SqliteValue = null | number | string | Uint8Array

/** A row by column name: {@link SqliteValue}s, as far as the engine is right. Bytes belong to the caller. */
export type SqliteRow = Readonly<Record<string, unknown>>

/** A prepared statement with positional parameters (`?`). It can be run any number of times. */
export interface SqliteStatement {
  /** Runs a statement that returns no rows. */
  run(...parameters: readonly SqliteValue[]): void
  /** The first row. */
  get(...parameters: readonly SqliteValue[]): SqliteRow | undefined
  /** All rows. */
  all(...parameters: readonly SqliteValue[]): SqliteRow[]
}

/** Whether a transaction is on the device when it ends, or at the latest when the next durable one is. */
export type Durability = 'durable' | 'lazy'

/**
 * The port to an SQLite engine: what a driver provides. All of it is synchronous, so that nothing of this process comes between
 * the statements of a transaction.
 *
 * An engine that cannot get a lock throws its own error at once or after a short wait; who calls tries again.
 */
export interface SqliteDatabase {
  /** For messages, e.g. the path of the file. */
  readonly location: string
  /** Runs statements without parameters, separated by semicolons. */
  exec(sql: string): void
  prepare(sql: string): SqliteStatement
  /**
   * Runs work as one transaction that has the right to write from its beginning. What the work throws undoes all of it
   * and is thrown.
   */
  transaction<T>(durability: Durability, work: () => T): T
  close(): void
}
