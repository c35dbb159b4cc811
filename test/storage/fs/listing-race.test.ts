import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createNodeCodecs } from '../../../src/codec/node/index.ts'
import { parseHex } from '../../../src/bytes/hex.ts'
import { objectFormat } from '../../../src/object/object-format.ts'
import { readObject } from '../../../src/object/object-reader.ts'
import { createMemoryBudget } from '../../../src/odb/memory-budget.ts'
import { ObjectDatabase } from '../../../src/odb/object-database.ts'
import { localFileSystem } from '../../../src/storage/fs/file-system.ts'
import { openBareRepository, type FileSystem } from '../../../src/storage/fs/index.ts'
import type { RepositoryStorage } from '../../../src/storage/repository-storage.ts'
import { makeBare, type BareFixture } from './fixture.ts'

/** Opens a repository which git repacks at the very moment when its first pack is looked at. */
async function openRepackedUnderUs(
  bare: BareFixture,
  moment: 'stat' | 'open',
): Promise<{ storage: RepositoryStorage; repacked: () => boolean }> {
  let repacked = false
  const repackOnce = async (path: string): Promise<void> => {
    if (repacked || !path.startsWith(join(bare.path, 'objects/pack')) || !path.endsWith('.idx')) return
    repacked = true
    await bare.git('update-ref', 'refs/heads/more', bare.ids[1] ?? '')
    await bare.git('repack', '-adfq', '--window=0')
  }
  const fileSystem: FileSystem = {
    ...localFileSystem,
    stat: (async (...args: Parameters<FileSystem['stat']>) => {
      if (moment === 'stat') await repackOnce(String(args[0]))
      return localFileSystem.stat(...args)
    }) as FileSystem['stat'],
    open: async (...args: Parameters<FileSystem['open']>) => {
      if (moment === 'open') await repackOnce(String(args[0]))
      return localFileSystem.open(...args)
    },
  }
  const storage = await openBareRepository(bare.path, { fileSystem })
  if (storage === undefined) throw new Error('no repository')
  return { storage, repacked: () => repacked }
}

test.each(['stat', 'open'] as const)(
  'objects are found when their pack is replaced between being listed and its %s',
  async (moment) => {
    const bare = await makeBare()
    const [one = ''] = bare.ids
    await bare.git('update-ref', 'refs/heads/a', one)
    await bare.git('repack', '-adq')
    const { storage, repacked } = await openRepackedUnderUs(bare, moment)
    const codecs = createNodeCodecs()
    const database = new ObjectDatabase(
      storage,
      objectFormat('sha1', codecs),
      codecs,
      createMemoryBudget(1 << 20),
    )
    const view = await database.openView()
    expect(repacked()).toBe(true)
    expect(view.locate(parseHex(one))).toBeDefined()
    expect(await readObject(view, parseHex(one))).not.toBeNull()
    await view.close()
    await database.close()
  },
)
