import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'vitest'
import { storageConformance } from '../../../src/storage/conformance/index.ts'
import { createSqliteStorage } from '../../../src/storage/sqlite/index.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { findDrivers, type TestDriver } from './drivers.ts'

const paths = new WeakMap<Storage, string>()

/** A storage on a connection of its own. What the suite checks does not depend on flushing. */
async function openStorage(driver: TestDriver, path: string, chunkBytes: number): Promise<Storage> {
  const database = await driver.open(path, { synchronous: 'normal' })
  const storage = createSqliteStorage({ database, chunkBytes })
  paths.set(storage, path)
  return storage
}

function pathOf(storage: Storage): string {
  const path = paths.get(storage)
  if (path === undefined) throw new Error('not a storage of this test')
  return path
}

for (const driver of await findDrivers()) {
  for (const chunkBytes of [16_384, 1 << 20]) {
    describe(`storage in SQLite through ${driver.name}, in chunks of ${chunkBytes} bytes, conforms`, () => {
      const cases = storageConformance({
        createStorage: async () => {
          const folder = await mkdtemp(join(tmpdir(), 'packstone-sqlite-'))
          return openStorage(driver, join(folder, 'git.db'), chunkBytes)
        },
        reopen: (storage) => openStorage(driver, pathOf(storage), chunkBytes),
        dispose: (storage) => rm(dirname(pathOf(storage)), { recursive: true }),
      })
      for (const { name, run } of cases) test(name, run)
    })
  }
}
