import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { registryConformance } from '../../../src/hub/registry/conformance/index.ts'
import { createMemoryRegistry } from '../../../src/hub/registry/memory/memory-registry.ts'
import { bundleWorker, importMiniflare, type Miniflare } from '../../support/workers/miniflare.ts'

const MiniflareClass = await importMiniflare()

describe('a registry in a Durable Object inside workerd conforms', () => {
  let miniflare: Miniflare | undefined

  beforeAll(async () => {
    miniflare = new MiniflareClass({
      cf: false,
      modules: true,
      script: await bundleWorker(join(import.meta.dirname, 'workerd-worker.ts')),
      compatibilityDate: '2026-04-01',
      durableObjects: { CONFORMANCE: { className: 'Conformance', useSQLite: true } },
    })
  })

  afterAll(() => miniflare?.dispose())

  const createRegistry = (): Promise<ReturnType<typeof createMemoryRegistry>> =>
    Promise.resolve(createMemoryRegistry())
  for (const { name } of registryConformance({ createRegistry })) {
    test(name, async () => {
      const answer = await miniflare?.dispatchFetch(`http://localhost/${encodeURIComponent(name)}`)
      expect(await answer?.text()).toBe('')
    })
  }
})
