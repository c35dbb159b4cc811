import { expect, test } from 'vitest'
import type { RepositoryStorage } from '../../../src/storage/repository-storage.ts'
import type { SharedPack } from '../../../src/storage/storage.ts'
import { CREATE, openDatabase, openStorage, queryNumber, stagePack, temporaryDatabase } from './fixture.ts'

const CHUNK = 4096
const MAIN = 'refs/heads/main'

/** The tables of version 1, as the first release made them. */
const VERSION_1 = `CREATE TABLE packstone_repositories (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     key TEXT NOT NULL UNIQUE,
     object_format TEXT NOT NULL,
     config TEXT NOT NULL
   );
   CREATE TABLE packstone_refs (
     repository INTEGER NOT NULL,
     name TEXT NOT NULL,
     target TEXT NOT NULL,
     peeled TEXT,
     PRIMARY KEY (repository, name)
   ) WITHOUT ROWID;
   CREATE TABLE packstone_shallow (
     repository INTEGER NOT NULL,
     id TEXT NOT NULL,
     PRIMARY KEY (repository, id)
   ) WITHOUT ROWID;
   CREATE TABLE packstone_packs (
     repository INTEGER NOT NULL,
     name TEXT NOT NULL,
     pack INTEGER NOT NULL,
     idx INTEGER NOT NULL,
     modified INTEGER NOT NULL,
     PRIMARY KEY (repository, name)
   ) WITHOUT ROWID;
   CREATE TABLE packstone_derived (
     repository INTEGER NOT NULL,
     pack TEXT NOT NULL,
     kind TEXT NOT NULL,
     file INTEGER NOT NULL,
     PRIMARY KEY (repository, pack, kind)
   ) WITHOUT ROWID;
   CREATE TABLE packstone_files (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     size INTEGER NOT NULL,
     chunk_bytes INTEGER NOT NULL,
     expires INTEGER
   );
   CREATE INDEX packstone_files_by_expiry ON packstone_files (expires) WHERE expires IS NOT NULL;
   CREATE TABLE packstone_chunks (
     id INTEGER PRIMARY KEY,
     bytes BLOB NOT NULL
   );
  CREATE TABLE packstone_schema (version INTEGER NOT NULL);
  INSERT INTO packstone_schema VALUES (1);`

const FORK = { head: MAIN, refs: [], shallow: [] } as const

async function shared(repository: RepositoryStorage): Promise<SharedPack[]> {
  return (await repository.listPacks()).map(({ name }) => ({ name }))
}

test('a database of the first version is brought up to date with all that is in it, and its repositories can be forked', async () => {
  const path = await temporaryDatabase()
  const name = `pack-${'c'.repeat(40)}`
  const database = await openDatabase(path)
  database.exec(`${VERSION_1}
    INSERT INTO packstone_repositories (id, key, object_format, config) VALUES (5, 'old', 'sha1', '[core]\n');
    INSERT INTO packstone_refs VALUES (5, 'HEAD', 'ref: ${MAIN}', NULL), (5, '${MAIN}', '${'a'.repeat(40)}', '');
    INSERT INTO packstone_shallow VALUES (5, '${'b'.repeat(40)}');
    INSERT INTO packstone_files VALUES (1, 3, 4096, NULL), (2, 2, 4096, NULL), (3, 1, 4096, NULL), (4, 1, 4096, 1);
    INSERT INTO packstone_chunks VALUES
      (1 * 1048576, x'010203'), (2 * 1048576, x'0405'), (3 * 1048576, x'06'), (4 * 1048576, x'07');
    INSERT INTO packstone_packs VALUES (5, '${name}', 1, 2, 77);
    INSERT INTO packstone_derived VALUES (5, '${name}', 'reachability', 3);`)
  database.close()

  const storage = await openStorage(path)
  const old = await storage.open('old')
  if (old === undefined) throw new Error('the repository is gone')
  const fork = await storage.fork('old', 'fork', { ...FORK, packs: await shared(old) })
  for (const repository of [old, fork]) {
    expect(await repository.listPacks()).toEqual([{ name, packSize: 3, indexSize: 2, modified: 77 }])
    const file = await repository.openPackFile(name, 'pack')
    expect(await file.read([{ offset: 0, length: 3 }])).toEqual([new Uint8Array([1, 2, 3])])
    expect(await repository.readDerived(name, 'reachability')).toEqual(new Uint8Array([6]))
  }
  expect(await old.listRefs('refs/')).toEqual([
    { name: MAIN, target: { kind: 'direct', id: 'a'.repeat(40) }, peeled: null },
  ])
  expect(await old.readShallow()).toEqual(['b'.repeat(40)])
  await storage.delete('old')
  await storage.collectGarbage()
  const file = await fork.openPackFile(name, 'idx')
  expect(await file.read([{ offset: 0, length: 2 }])).toEqual([new Uint8Array([4, 5])])
  expect(await queryNumber(path, 'SELECT count(*) AS value FROM packstone_chunks')).toBe(3)
})

test('a fork stores no chunks but those of its masks, and the last owner of a file leaves it to be removed', async () => {
  const path = await temporaryDatabase()
  const storage = await openStorage(path, { chunkBytes: CHUNK, gracePeriod: 0 })
  const chunks = (): Promise<number> => queryNumber(path, 'SELECT count(*) AS value FROM packstone_chunks')
  const source = await storage.create('source', CREATE)
  await source.commit({
    addPacks: [await stagePack(source, 'a', 9 * CHUNK), await stagePack(source, 'b', CHUNK)],
  })
  for (const { name } of await source.listPacks()) {
    await source.writeDerived(name, 'reachability', new Uint8Array(2 * CHUNK))
  }
  const before = await chunks()
  expect(before).toBe(10 + 2 + 4)
  const packs = await shared(source)
  for (let at = 0; at < 5; at++) await storage.fork('source', `fork${at}`, { ...FORK, packs })
  expect(await chunks()).toBe(before)
  const visible = new Uint8Array(2 * CHUNK).fill(1)
  await storage.fork('source', 'masked', { ...FORK, packs: packs.map((pack) => ({ ...pack, visible })) })
  await storage.fork('masked', 'again', { ...FORK, packs })
  expect(await chunks()).toBe(before + 4)

  for (const key of ['source', 'fork0', 'fork3', 'masked']) {
    await storage.delete(key)
    await storage.collectGarbage()
    expect(await chunks()).toBe(before + 4)
  }
  const again = await storage.open('again')
  expect(await again?.readPackMask(packs[0]?.name ?? '')).toEqual(visible)
  await again?.commit({ dropPacks: packs.slice(0, 1).map(({ name }) => name) })
  await storage.collectGarbage()
  expect(await chunks()).toBe(before + 2)
  for (const { key } of (await storage.list()).keys.map((key) => ({ key }))) await storage.delete(key)
  await storage.collectGarbage()
  expect(await chunks()).toBe(0)
  expect(await queryNumber(path, 'SELECT count(*) AS value FROM packstone_files')).toBe(0)
})

test('a fork that fails, because its last pack is gone, leaves no row', async () => {
  const path = await temporaryDatabase()
  const storage = await openStorage(path, { chunkBytes: CHUNK })
  const source = await storage.create('source', CREATE)
  await source.commit({ addPacks: [await stagePack(source, 'a', CHUNK)] })
  const rows = async (): Promise<number[]> => {
    const tables = ['repositories', 'refs', 'packs', 'files', 'chunks', 'derived', 'shallow']
    return Promise.all(
      tables.map((table) => queryNumber(path, `SELECT count(*) AS value FROM packstone_${table}`)),
    )
  }
  const before = await rows()
  const visible = new Uint8Array(CHUNK)
  const packs = [
    ...(await shared(source)).map((pack) => ({ ...pack, visible })),
    { name: `pack-${'0'.repeat(40)}` },
  ]
  await expect(storage.fork('source', 'fork', { ...FORK, packs })).rejects.toMatchObject({ code: 'CONFLICT' })
  expect(await rows()).toEqual(before)
})
