import { describe, expect, test } from 'vitest'
import { MAX_ROW_BYTES, withRowLimits } from '../../../src/storage/sqlite/row-limits.ts'
import { createSqliteStorage } from '../../../src/storage/sqlite/index.ts'
import { CREATE, openDatabase, openStorage, queryNumber, stagePack, temporaryDatabase } from './fixture.ts'

describe('the limits of SQLite storage', () => {
  test('no row is longer than the tightest engine takes, whatever is stored', async () => {
    const path = await temporaryDatabase()
    const repository = await (await openStorage(path)).create('a', CREATE)
    const pack = await stagePack(repository, 'a', 5_000_000)
    await repository.commit({ addPacks: [pack] })
    await repository.writeDerived(pack.name, 'reachability', new Uint8Array(3_000_000))
    expect(await queryNumber(path, 'SELECT max(length(bytes)) AS value FROM packstone_chunks')).toBe(1 << 20)
    const file = await repository.openPackFile(pack.name, 'pack')
    const [bytes] = await file.read([{ offset: 0, length: 5_000_000 }])
    expect(bytes?.every((byte) => byte === 1)).toBe(true)
    expect((await repository.readDerived(pack.name, 'reachability'))?.length).toBe(3_000_000)
  })

  test('a config that does not fit into a row is refused by our own code, and the old one stays', async () => {
    const repository = await (await openStorage(await temporaryDatabase())).create('a', CREATE)
    const config = await repository.readConfig()
    for (const text of ['x'.repeat(MAX_ROW_BYTES), 'ü'.repeat(MAX_ROW_BYTES / 2)]) {
      await expect(repository.writeConfig(text)).rejects.toMatchObject({
        code: 'LIMIT_EXCEEDED',
        details: { limit: 'rowBytes' },
      })
    }
    expect(await repository.readConfig()).toBe(config)
    const long = `${config}# ${'x'.repeat(1_900_000)}\n`
    await repository.writeConfig(long)
    expect(await repository.readConfig()).toBe(long)
  })

  test('bytes, text and numbers of one row count together, and a hundred parameters are enough', async () => {
    const database = withRowLimits(await openDatabase(await temporaryDatabase()))
    const two = database.prepare('SELECT length(?) + length(?) AS value')
    const half = new Uint8Array(MAX_ROW_BYTES / 2 - 20)
    expect(two.get(half, 'x'.repeat(half.length))?.['value']).toBe(2 * half.length)
    const tooMuch = [half, new Uint8Array(half.length + 40)] as const
    expect(() => two.get(...tooMuch)).toThrow(/keeps to 1990000/)
    expect(() => two.all(...tooMuch)).toThrow(/keeps to 1990000/)
    expect(() => {
      two.run(...tooMuch)
    }).toThrow(/keeps to 1990000/)
    const many = database.prepare(`SELECT ${Array.from({ length: 101 }, () => '?').join(' + ')} AS value`)
    expect(() => many.get(...Array.from({ length: 101 }, () => 1))).toThrow(/101 parameters/)
    database.close()
  })

  test('options out of range are refused at once', async () => {
    const database = await openDatabase(await temporaryDatabase())
    for (const option of [
      { chunkBytes: 4095 },
      { chunkBytes: (1 << 20) + 1 },
      { chunkBytes: 5000.5 },
      { gracePeriod: -1 },
      { lockTimeout: NaN },
    ]) {
      expect(() => createSqliteStorage({ database, ...option })).toThrow(/expected a whole number/)
    }
    database.close()
  })
})
