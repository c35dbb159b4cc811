import { join } from 'node:path'
import { describe } from 'vitest'
import { storageConformance } from '../../../src/storage/conformance/index.ts'
import { createMemoryStorage } from '../../../src/storage/memory/index.ts'
import { CONFORMANCE_OBJECT, conformsInWorkerd } from '../../support/workers/conforms-in-workerd.ts'

describe('storage in a Durable Object and R2 inside workerd conforms', async () => {
  const createStorage = (): Promise<ReturnType<typeof createMemoryStorage>> =>
    Promise.resolve(createMemoryStorage())
  const cases = storageConformance({ createStorage, reopen: createStorage })
  await conformsInWorkerd(
    join(import.meta.dirname, 'workerd-worker.ts'),
    { durableObjects: CONFORMANCE_OBJECT, r2Buckets: ['BUCKET'] },
    cases,
  )
})
