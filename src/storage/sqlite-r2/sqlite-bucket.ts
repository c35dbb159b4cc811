import type { Bucket, PutCondition } from '../manifest/bucket.ts'
import { runPatiently } from '../sqlite/busy.ts'
import { bytesIn, numberIn, textIn } from '../sqlite/row-values.ts'
import type { SqliteDatabase, SqliteStatement } from '../sqlite/sqlite-database.ts'

/** Small objects in rows of an SQLite database, each whole in one row. */
export interface SqliteBucket extends Pick<Bucket, 'location' | 'get' | 'put' | 'list'> {
  has(key: string): Promise<boolean>
  delete(keys: readonly string[]): Promise<void>
  /** Keys of objects that were not copied elsewhere yet, of those whose keys begin with a prefix. */
  listUncopied(prefix: string): Promise<readonly string[]>
  /** Notes that an object was copied. */
  noteCopied(key: string): Promise<void>
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS bucket_objects (
  key TEXT PRIMARY KEY,
  etag TEXT NOT NULL,
  uploaded INTEGER NOT NULL,
  copied INTEGER NOT NULL,
  bytes BLOB NOT NULL
)`

const PUT =
  'INSERT OR REPLACE INTO bucket_objects (key, etag, uploaded, copied, bytes) VALUES (?, ?, ?, 0, ?)'
const READ_PART = 'SELECT etag, substr(bytes, ?, ?) AS bytes FROM bucket_objects WHERE key = ?'
const LIST = `SELECT key, length(bytes) AS size, uploaded, etag FROM bucket_objects
  WHERE key >= ? AND key > ? AND key < ? ORDER BY key LIMIT ?`

const DEFAULT_LIMIT = 1000
const PATIENCE = 30_000

/** Behind every key that begins with a prefix: keys are of ASCII. */
const BEHIND = '\u{10ffff}'

/** Opens the small objects of a database. */
export function openSqliteBucket(database: SqliteDatabase): SqliteBucket {
  const location = `sqlite:${database.location}`
  const statements = new Map<string, SqliteStatement>()
  const sql = (text: string): SqliteStatement => {
    if (statements.size === 0) database.exec(SCHEMA)
    const statement = statements.get(text) ?? database.prepare(text)
    statements.set(text, statement)
    return statement
  }
  const run = <T>(work: () => T): Promise<T> => runPatiently(location, PATIENCE, work)
  const readEtag = (key: string): string | undefined => {
    const row = sql('SELECT etag FROM bucket_objects WHERE key = ?').get(key)
    return row && textIn(row, 'etag')
  }
  const isMet = (key: string, condition: PutCondition | undefined): boolean => {
    if (condition === undefined) return true
    return readEtag(key) === (condition.kind === 'absent' ? undefined : condition.etag)
  }

  return {
    location,
    has: (key) => run(() => readEtag(key) !== undefined),
    get: (key, { range, unless } = {}) =>
      run(() => {
        const etag = readEtag(key)
        if (etag === undefined) return undefined
        if (etag === unless) return 'unchanged'
        const row =
          range === undefined
            ? sql('SELECT bytes FROM bucket_objects WHERE key = ?').get(key)
            : sql(READ_PART).get(range.offset + 1, range.length, key)
        return row && { bytes: bytesIn(row, 'bytes'), etag }
      }),
    put: (key, bytes, condition) =>
      run(() => {
        sql(PUT)
        return database.transaction('durable', () => {
          if (!isMet(key, condition)) return undefined
          const etag = crypto.randomUUID()
          sql(PUT).run(key, etag, Date.now(), bytes)
          return etag
        })
      }),
    list: ({ prefix, startAfter = '', cursor, limit = DEFAULT_LIMIT }) =>
      run(() => {
        const rows = sql(LIST).all(prefix, cursor ?? startAfter, prefix + BEHIND, limit)
        const objects = rows.map((row) => ({
          key: textIn(row, 'key'),
          size: numberIn(row, 'size'),
          uploaded: numberIn(row, 'uploaded'),
          etag: textIn(row, 'etag'),
        }))
        const last = objects.at(-1)
        return objects.length < limit || last === undefined ? { objects } : { objects, cursor: last.key }
      }),
    delete: (keys) =>
      run(() => {
        for (const key of keys) sql('DELETE FROM bucket_objects WHERE key = ?').run(key)
      }),
    listUncopied: (prefix) =>
      run(() =>
        sql('SELECT key FROM bucket_objects WHERE key >= ? AND key < ? AND copied = 0')
          .all(prefix, prefix + BEHIND)
          .map((row) => textIn(row, 'key')),
      ),
    noteCopied: (key) =>
      run(() => {
        sql('UPDATE bucket_objects SET copied = 1 WHERE key = ?').run(key)
      }),
  }
}
