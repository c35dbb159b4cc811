import { describe, expect, test } from 'vitest'
import { storageConformance } from '../../../src/storage/conformance/index.ts'
import {
  createDurableObjectDatabase,
  type DurableObjectSqlStorage,
} from '../../../src/storage/sqlite/drivers/durable-object.ts'
import { createSqliteStorage, type SqliteDatabase } from '../../../src/storage/sqlite/index.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { openDatabase, temporaryDatabase } from './fixture.ts'

/** A Durable Object's storage, as strict as the real one, over a database of this Node. */
function imitate(database: SqliteDatabase): DurableObjectSqlStorage {
  const allowed = (sql: string): void => {
    const refused = /^\s*(?:PRAGMA|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|VACUUM|ATTACH)\b/i.exec(sql)
    if (refused !== null) throw new Error(`not authorized: ${refused[0]}`)
  }
  return {
    sql: {
      exec(sql, ...parameters) {
        allowed(sql)
        if (parameters.length > 100) throw new Error('too many parameters')
        if (parameters.length === 0 && /;\s*\S/.test(sql)) {
          database.exec(sql)
          return { toArray: () => [] }
        }
        const bound = parameters.map((value) => {
          const size = value instanceof ArrayBuffer ? value.byteLength : String(value).length
          if (size > 2_000_000) throw new Error('string or blob too big')
          if (ArrayBuffer.isView(value)) throw new Error('a view is not an ArrayBuffer')
          return value instanceof ArrayBuffer ? new Uint8Array(value) : value
        })
        const rows = database.prepare(sql).all(...bound)
        return {
          toArray: () =>
            rows.map((row) =>
              Object.fromEntries(
                Object.entries(row).map(([column, value]) => [
                  column,
                  value instanceof Uint8Array ? value.slice().buffer : value,
                ]),
              ),
            ),
        }
      },
    },
    transactionSync: (work) => database.transaction('lazy', work),
  }
}

describe('storage in a Durable Object conforms', () => {
  const imitations = new WeakMap<Storage, DurableObjectSqlStorage>()
  const open = (storage: DurableObjectSqlStorage): Storage => {
    const opened = createSqliteStorage({
      database: createDurableObjectDatabase(storage),
      chunkBytes: 100_000,
    })
    imitations.set(opened, storage)
    return opened
  }
  const cases = storageConformance({
    createStorage: async () => open(imitate(await openDatabase(await temporaryDatabase()))),
    reopen: (storage) => {
      const imitation = imitations.get(storage)
      if (imitation === undefined) throw new Error('not a storage of this test')
      return Promise.resolve(open(imitation))
    },
  })
  for (const { name, run } of cases) test(name, run)
})

test('messages call a Durable Object what its host calls it', async () => {
  const storage = imitate(await openDatabase(await temporaryDatabase()))
  expect(createDurableObjectDatabase(storage).location).toBe('durable-object')
  const database = createDurableObjectDatabase(storage, { location: 'object 7' })
  expect(createSqliteStorage({ database }).location).toBe('sqlite:object 7')
})
