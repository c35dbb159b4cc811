import { expect, test } from 'vitest'
import { createSqliteStorage } from '../../../src/storage/sqlite/index.ts'
import { CREATE, openDatabase, openStorage, temporaryDatabase } from './fixture.ts'

test('many that open a new database at the same time make its tables once', async () => {
  const path = await temporaryDatabase()
  const storages = await Promise.all(Array.from({ length: 10 }, () => openStorage(path)))
  await Promise.all(storages.map((storage, at) => storage.create(`r${at}`, CREATE)))
  for (const storage of storages) expect((await storage.list()).keys).toHaveLength(10)
})

test('tables of a later release are left alone', async () => {
  const path = await temporaryDatabase()
  await (await openStorage(path)).create('a', CREATE)
  const database = await openDatabase(path)
  database.exec('UPDATE packstone_schema SET version = 1000')
  const storage = await openStorage(path)
  await expect(storage.open('a')).rejects.toMatchObject({ code: 'UNSUPPORTED', details: { version: 1000 } })
  database.close()
})

test('a database whose text is not in UTF-8 is refused: refs would be in another order', async () => {
  const path = await temporaryDatabase()
  const database = await openDatabase(path)
  const storage = createSqliteStorage({
    database: { ...database, prepare: (sql) => database.prepare(sql.replace(`x'61'`, `x'6100'`)) },
  })
  await expect(storage.list()).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  await storage.close()
})

test('tables of others in the same database stay as they are', async () => {
  const path = await temporaryDatabase()
  const database = await openDatabase(path)
  database.exec('PRAGMA user_version = 42; CREATE TABLE refs (mine TEXT); INSERT INTO refs VALUES (1)')
  const repository = await (await openStorage(path)).create('a', CREATE)
  expect(await repository.listRefs('')).toEqual([])
  expect(database.prepare('SELECT mine FROM refs').get()).toEqual({ mine: '1' })
  expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: 42 })
  database.close()
})

test('a closed storage says so, on every call', async () => {
  const storage = await openStorage(await temporaryDatabase())
  const repository = await storage.create('a', CREATE)
  await storage.close()
  await storage.close()
  for (const call of [() => storage.list(), () => repository.listRefs(''), () => repository.commit({})]) {
    await expect(call()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  }
})

test('a lock that somebody keeps is LOCKED when the time is over, and nothing has changed', async () => {
  const path = await temporaryDatabase()
  const storage = await openStorage(path, { lockTimeout: 200 })
  const repository = await storage.create('a', CREATE)
  const other = await openDatabase(path)
  other.exec('BEGIN IMMEDIATE')
  const refs = [
    {
      name: 'refs/heads/main',
      expect: { kind: 'any' },
      target: { kind: 'direct', id: 'a'.repeat(40) },
    } as const,
  ]
  await expect(repository.commit({ refs })).rejects.toMatchObject({ code: 'LOCKED' })
  expect(await repository.listRefs('')).toEqual([])
  const patient = (await (await openStorage(path, { lockTimeout: 200_000 })).open('a'))!
  const waiting = patient.commit({ refs })
  other.exec('ROLLBACK')
  expect((await waiting).refs[0]?.kind).toBe('applied')
  other.close()
})
