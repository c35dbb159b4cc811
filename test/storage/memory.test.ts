import { describe, expect, test } from 'vitest'
import { storageConformance } from '../../src/storage/conformance/index.ts'
import { createMemoryStorage } from '../../src/storage/memory/index.ts'

const CREATE = { objectFormat: 'sha1', head: 'refs/heads/main' } as const

describe('storage in memory', () => {
  for (const { name, run } of storageConformance({
    createStorage: () => Promise.resolve(createMemoryStorage()),
  })) {
    test(name, run)
  }

  test('a file that was open when its repository was deleted stays readable; everything else is NOT_FOUND', async () => {
    const storage = createMemoryStorage()
    const repository = await storage.create('a', CREATE)
    const [pack, index] = await Promise.all(
      (['pack', 'idx'] as const).map(async (kind) => {
        const writer = await repository.createFile(kind)
        await writer.write(Uint8Array.of(1, 2, 3))
        return writer.finish()
      }),
    )
    const name = `pack-${'a'.repeat(40)}`
    await repository.commit({ addPacks: [{ name, pack: pack!, index: index! }] })
    const file = await repository.openPackFile(name, 'pack')
    await storage.delete('a')
    expect(await file.read([{ offset: 1, length: 2 }])).toEqual([Uint8Array.of(2, 3)])
    for (const call of [
      () => repository.listPacks(),
      () => repository.openPackFile(name, 'pack'),
      () => repository.createFile('pack'),
      () => repository.readRefs(['HEAD']),
      () => repository.listRefs(''),
      () => repository.commit({}),
      () => repository.readConfig(),
      () => repository.writeConfig(''),
      () => repository.readShallow(),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    }
  })

  test('a closed handle and a closed file say so', async () => {
    const repository = await createMemoryStorage().create('a', CREATE)
    const staged = await (await repository.createFile('pack')).finish()
    await staged.close()
    await expect(staged.read([])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await repository.close()
    await expect(repository.listPacks()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('a page needs room for at least one key', async () => {
    await expect(createMemoryStorage().list({ limit: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
