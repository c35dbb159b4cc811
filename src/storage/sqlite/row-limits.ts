import { encodeUtf8 } from '../../bytes/text.ts'
import { GitError } from '../../errors.ts'
import type { SqliteDatabase, SqliteStatement, SqliteValue } from './sqlite-database.ts'

/** The most bytes of one statement: the 2 MB that a row of a Durable Object may have, less what its other columns may. */
export const MAX_ROW_BYTES = 1_990_000
/** The most parameters of one statement that a Durable Object allows. */
export const MAX_PARAMETERS = 100

/** What a number, a null and the bookkeeping of a value count. */
const VALUE_OVERHEAD = 9

/**
 * Holds every statement of a database to the limits of the tightest engine, so that what was stored through one driver can be
 * stored through each.
 */
export function withRowLimits(database: SqliteDatabase): SqliteDatabase {
  const limited = (statement: SqliteStatement): SqliteStatement => ({
    run(...parameters) {
      assertWithinLimits(parameters)
      statement.run(...parameters)
    },
    get(...parameters) {
      assertWithinLimits(parameters)
      return statement.get(...parameters)
    },
    all(...parameters) {
      assertWithinLimits(parameters)
      return statement.all(...parameters)
    },
  })
  return {
    location: database.location,
    exec: (sql) => {
      database.exec(sql)
    },
    prepare: (sql) => limited(database.prepare(sql)),
    transaction: (durability, work) => database.transaction(durability, work),
    close: () => {
      database.close()
    },
  }
}

function assertWithinLimits(parameters: readonly SqliteValue[]): void {
  if (parameters.length > MAX_PARAMETERS) {
    throw tooLarge(`a statement has ${parameters.length} parameters`, 'parameters', MAX_PARAMETERS)
  }
  let bytes = 0
  for (const value of parameters) bytes += sizeOf(value, MAX_ROW_BYTES)
  if (bytes > MAX_ROW_BYTES) throw tooLarge(`a row would have ${bytes} bytes`, 'rowBytes', MAX_ROW_BYTES)
}

/** The bytes that a value takes at most; exactly those where it matters for `limit`. */
function sizeOf(value: SqliteValue, limit: number): number {
  if (typeof value === 'string') {
    const most = 3 * value.length
    return VALUE_OVERHEAD + (most < limit / MAX_PARAMETERS ? most : encodeUtf8(value).length)
  }
  return VALUE_OVERHEAD + (value instanceof Uint8Array ? value.length : 0)
}

function tooLarge(problem: string, limit: string, most: number): GitError {
  return new GitError('LIMIT_EXCEEDED', `${problem}; SQLite storage keeps to ${most}`, {
    details: { limit, most },
  })
}
