import { GitError } from '../../../errors.ts'
import { runPatiently } from '../../../storage/sqlite/busy.ts'
import { migrate } from '../../../storage/sqlite/migrate.ts'
import { withRowLimits } from '../../../storage/sqlite/row-limits.ts'
import type { Durability, SqliteDatabase, SqliteStatement } from '../../../storage/sqlite/sqlite-database.ts'
import { REGISTRY_TABLES } from './schema.ts'

/** Gives the prepared statement of a text. */
export type Prepare = (sql: string) => SqliteStatement

/** A database with the registry's tables, open. */
export class RegistryDatabase {
  readonly location: string
  readonly #patience: number
  readonly #database: SqliteDatabase
  readonly #statements = new Map<string, SqliteStatement>()
  #state: 'new' | 'ready' | 'closed' = 'new'

  constructor(database: SqliteDatabase, patience: number) {
    this.#database = withRowLimits(database)
    this.#patience = patience
    this.location = `sqlite:${database.location}`
  }

  /** Runs single statements, which see all that was committed before. */
  run<T>(work: (sql: Prepare) => T): Promise<T> {
    return runPatiently(this.location, this.#patience, () => {
      this.#makeReady()
      return work(this.#prepare)
    })
  }

  /** Runs work as one transaction, and again from its beginning where a lock was in the way. */
  transact<T>(durability: Durability, work: (sql: Prepare) => T): Promise<T> {
    return runPatiently(this.location, this.#patience, () => {
      this.#makeReady()
      return this.#database.transaction(durability, () => work(this.#prepare))
    })
  }

  close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#statements.clear()
    this.#database.close()
  }

  readonly #prepare: Prepare = (sql) => {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  #makeReady(): void {
    if (this.#state === 'closed') {
      throw new GitError('INVALID_ARGUMENT', `${this.location} was closed; open it again`)
    }
    if (this.#state === 'new') migrate(this.#database, REGISTRY_TABLES)
    this.#state = 'ready'
  }
}
