import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { CREATE, openStorage, queryNumber, stage, stagePack, temporaryDatabase } from './fixture.ts'

const CHUNK = 4096

const countChunks = (path: string): Promise<number> =>
  queryNumber(path, 'SELECT count(*) AS value FROM packstone_chunks')
const countFiles = (path: string): Promise<number> =>
  queryNumber(path, 'SELECT count(*) AS value FROM packstone_files')

// Time stands still unless a test lets it go on: no grace period is over because the machine is slow.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

function letPass(milliseconds: number): void {
  vi.setSystemTime(Date.now() + milliseconds)
}

describe('files in SQLite that no pack owns', () => {
  test('a discarded file leaves nothing, however many chunks it has', async () => {
    const path = await temporaryDatabase()
    const repository = await (await openStorage(path, { chunkBytes: CHUNK })).create('a', CREATE)
    const staged = await stage(repository, 'pack', new Uint8Array(100 * CHUNK))
    const writer = await repository.createFile('pack')
    await writer.write(new Uint8Array(50 * CHUNK))
    expect(await countChunks(path)).toBe(150)
    await Promise.all([staged.discard(), writer.discard()])
    expect([await countChunks(path), await countFiles(path)]).toEqual([0, 0])
  })

  test('what a dead process has staged stays for the grace period and is then removed', async () => {
    const path = await temporaryDatabase()
    const dead = await openStorage(path, { chunkBytes: CHUNK, gracePeriod: 300 })
    await stage(await dead.create('a', CREATE), 'pack', new Uint8Array(40 * CHUNK))
    await dead.close()
    const storage = await openStorage(path, { chunkBytes: CHUNK, gracePeriod: 300 })
    await storage.collectGarbage()
    expect(await countChunks(path)).toBe(40)
    letPass(350)
    await storage.collectGarbage()
    expect([await countChunks(path), await countFiles(path)]).toEqual([0, 0])
  })

  test('whoever begins a file removes garbage on the way', async () => {
    const path = await temporaryDatabase()
    const dead = await openStorage(path, { chunkBytes: CHUNK, gracePeriod: 0 })
    await stage(await dead.create('a', CREATE), 'pack', new Uint8Array(40 * CHUNK))
    await dead.close()
    const repository = await (await openStorage(path)).open('a')
    const writer = await repository?.createFile('pack')
    expect(await countChunks(path)).toBe(0)
    await writer?.discard()
  })

  test('a staged file that is read now and then does not expire', async () => {
    const path = await temporaryDatabase()
    const storage = await openStorage(path, { chunkBytes: CHUNK, gracePeriod: 1000 })
    const repository = await storage.create('a', CREATE)
    const pack = await stagePack(repository, 'a', 3 * CHUNK)
    for (let read = 0; read < 5; read++) {
      letPass(300)
      await pack.pack.read([{ offset: 0, length: 1 }])
      await pack.index.read([{ offset: 0, length: 1 }])
      await storage.collectGarbage()
    }
    await repository.commit({ addPacks: [pack] })
    expect(await repository.listPacks()).toHaveLength(1)
  })

  test('a commit that names a file that has expired is refused and changes nothing', async () => {
    const path = await temporaryDatabase()
    const storage = await openStorage(path, { chunkBytes: CHUNK, gracePeriod: 0 })
    const repository = await storage.create('a', CREATE)
    const pack = await stagePack(repository, 'a', 20 * CHUNK)
    letPass(5)
    await storage.collectGarbage()
    const refs = [
      {
        name: 'refs/heads/main',
        expect: { kind: 'any' },
        target: { kind: 'direct', id: 'a'.repeat(40) },
      } as const,
    ]
    await expect(repository.commit({ addPacks: [pack], refs })).rejects.toMatchObject({ code: 'STORAGE' })
    expect(await repository.listPacks()).toEqual([])
    expect(await repository.listRefs('')).toEqual([])
  })

  test('the files of a dropped pack can be read for the grace period, and are NOT_FOUND after it', async () => {
    const path = await temporaryDatabase()
    const storage = await openStorage(path, { chunkBytes: CHUNK, gracePeriod: 300 })
    const repository = await storage.create('a', CREATE)
    const pack = await stagePack(repository, 'a', 40 * CHUNK)
    await repository.commit({ addPacks: [pack] })
    await repository.writeDerived(pack.name, 'reachability', new Uint8Array(5 * CHUNK))
    const file = await repository.openPackFile(pack.name, 'pack')
    await repository.commit({ dropPacks: [pack.name] })
    await storage.collectGarbage()
    expect(await file.read([{ offset: 39 * CHUNK, length: 1 }])).toEqual([Uint8Array.of(1)])
    letPass(350)
    await storage.collectGarbage()
    await expect(file.read([{ offset: 0, length: 1 }])).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect([await countChunks(path), await countFiles(path)]).toEqual([0, 0])
  })

  test('nothing of a deleted repository is left after the grace period', async () => {
    const path = await temporaryDatabase()
    const storage = await openStorage(path, { chunkBytes: CHUNK, gracePeriod: 0 })
    const repository = await storage.create('a', CREATE)
    await repository.commit({
      addPacks: [await stagePack(repository, 'a', CHUNK)],
      shallow: { add: ['b'.repeat(40)], remove: [] },
    })
    await repository.writeDerived(`pack-${'a'.repeat(40)}`, 'reachability', new Uint8Array(CHUNK))
    await storage.delete('a')
    letPass(5)
    await storage.collectGarbage()
    for (const table of ['repositories', 'refs', 'shallow', 'packs', 'derived', 'files', 'chunks']) {
      expect(await queryNumber(path, `SELECT count(*) AS value FROM packstone_${table}`), table).toBe(0)
    }
    // A new repository of the same key is another one.
    await storage.create('a', CREATE)
    await expect(repository.listPacks()).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
