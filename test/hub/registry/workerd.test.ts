import { join } from 'node:path'
import { describe } from 'vitest'
import { registryConformance } from '../../../src/hub/registry/conformance/index.ts'
import { createMemoryRegistry } from '../../../src/hub/registry/memory/memory-registry.ts'
import { CONFORMANCE_OBJECT, conformsInWorkerd } from '../../support/workers/conforms-in-workerd.ts'

describe('a registry in a Durable Object inside workerd conforms', async () => {
  const createRegistry = (): Promise<ReturnType<typeof createMemoryRegistry>> =>
    Promise.resolve(createMemoryRegistry())
  const cases = registryConformance({ createRegistry })
  await conformsInWorkerd(
    join(import.meta.dirname, 'workerd-worker.ts'),
    { durableObjects: CONFORMANCE_OBJECT },
    cases,
  )
})
