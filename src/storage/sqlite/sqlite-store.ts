import { GitError } from '../../errors.ts'
import { nextTurn, runPatiently } from './busy.ts'
import { withRowLimits } from './row-limits.ts'
import { migrate } from './migrate.ts'
import { STORAGE_TABLES } from './schema.ts'
import type { Durability, SqliteDatabase } from './sqlite-database.ts'
import { prepareStatements, type Statements } from './statements.ts'

export interface SqliteStoreOptions {
  readonly chunkBytes: number
  readonly gracePeriod: number
  readonly patience: number
}

/** After so many bytes read or written, others get a turn. */
const BYTES_PER_TURN = 4 << 20

/** A database with our tables, open: what all handles of a storage share. */
export class SqliteStore {
  readonly location: string
  /** Size of a new file's chunks in bytes. */
  readonly chunkBytes: number
  /** How long files that no pack owns are left alone, in milliseconds. */
  readonly gracePeriod: number
  readonly #patience: number
  readonly #database: SqliteDatabase
  #statements: Statements | undefined
  #open = true
  #bytesInTurn = 0

  constructor(database: SqliteDatabase, options: SqliteStoreOptions) {
    this.#database = withRowLimits(database)
    this.location = `sqlite:${database.location}`
    this.chunkBytes = options.chunkBytes
    this.gracePeriod = options.gracePeriod
    this.#patience = options.patience
  }

  /** When a file that is left alone from now on may be removed. */
  get expiry(): number {
    return Date.now() + this.gracePeriod
  }

  /** Runs single statements, which see all that was committed before. */
  run<T>(work: (sql: Statements) => T): Promise<T> {
    return runPatiently(this.location, this.#patience, () => work(this.#ready()))
  }

  /** Runs work as one transaction, and again from its beginning where a lock was in the way. */
  transact<T>(durability: Durability, work: (sql: Statements) => T): Promise<T> {
    return runPatiently(this.location, this.#patience, () => {
      const statements = this.#ready()
      return this.#database.transaction(durability, () => work(statements))
    })
  }

  /** Says that bytes were moved. Resolves at once, or after a turn of the event loop when it has been many. */
  async noteBytes(count: number): Promise<void> {
    this.#bytesInTurn += count
    if (this.#bytesInTurn < BYTES_PER_TURN) return
    this.#bytesInTurn = 0
    await nextTurn()
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#statements = undefined
    this.#database.close()
  }

  #ready(): Statements {
    if (!this.#open) throw new GitError('INVALID_ARGUMENT', `${this.location} was closed; open it again`)
    if (this.#statements === undefined) {
      migrate(this.#database, STORAGE_TABLES)
      this.#statements = prepareStatements(this.#database)
    }
    return this.#statements
  }
}
