import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'vitest'
import { storageConformance } from '../../src/storage/conformance/index.ts'
import { createFsStorage } from '../../src/storage/fs/index.ts'
import type { Storage } from '../../src/storage/storage.ts'

const directories = new Map<Storage, string>()

function openIn(directory: string): Storage {
  // What the suite checks does not depend on flushing, which costs most of its time.
  const storage = createFsStorage({ directory, durable: false })
  directories.set(storage, directory)
  return storage
}

function directoryOf(storage: Storage): string {
  const directory = directories.get(storage)
  if (directory === undefined) throw new Error('not a storage of this test')
  return directory
}

describe('the storage of bare repositories conforms', () => {
  const cases = storageConformance({
    createStorage: async () => openIn(await mkdtemp(join(tmpdir(), 'packstone-fs-'))),
    reopen: (storage) => Promise.resolve(openIn(directoryOf(storage))),
    dispose: (storage) => rm(directoryOf(storage), { recursive: true, force: true }),
  })
  for (const { name, run } of cases) test(name, run)
})
