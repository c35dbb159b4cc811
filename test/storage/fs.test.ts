import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'vitest'
import { storageConformance } from '../../src/storage/conformance/index.ts'
import { createFsStorage } from '../../src/storage/fs/index.ts'
import type { RepositoryStorage } from '../../src/storage/repository-storage.ts'
import type { Storage } from '../../src/storage/storage.ts'

interface Opened {
  readonly directory: string
  readonly repositories: RepositoryStorage[]
}

const opened = new Map<Storage, Opened>()

/** Opens a storage that notes its repositories, for cases that leave some of them open. */
function openIn(directory: string): Storage {
  const repositories: RepositoryStorage[] = []
  // What the suite checks does not depend on flushing, which costs most of its time.
  const storage = createFsStorage({ directory, durable: false })
  const noting: Storage = {
    ...storage,
    async open(key) {
      const repository = await storage.open(key)
      if (repository !== undefined) repositories.push(repository)
      return repository
    },
    async create(key, options) {
      const repository = await storage.create(key, options)
      repositories.push(repository)
      return repository
    },
    async fork(source, key, options) {
      const repository = await storage.fork(source, key, options)
      repositories.push(repository)
      return repository
    },
  }
  opened.set(noting, { directory, repositories })
  return noting
}

function openedOf(storage: Storage): Opened {
  const found = opened.get(storage)
  if (found === undefined) throw new Error('not a storage of this test')
  return found
}

describe('the storage of bare repositories conforms', () => {
  const cases = storageConformance({
    createStorage: async () => openIn(await mkdtemp(join(tmpdir(), 'packstone-fs-'))),
    reopen: (storage) => Promise.resolve(openIn(openedOf(storage).directory)),
    dispose: async (storage) => {
      const { directory } = openedOf(storage)
      for (const one of opened.values()) {
        if (one.directory === directory)
          await Promise.all(one.repositories.map((repository) => repository.close()))
      }
      await rm(directory, { recursive: true, force: true })
    },
  })
  for (const { name, run } of cases) test(name, run)
})
