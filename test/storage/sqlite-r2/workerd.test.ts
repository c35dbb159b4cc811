import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storageConformance } from '../../../src/storage/conformance/index.ts'
import { createMemoryStorage } from '../../../src/storage/memory/index.ts'
import { bundleWorker, importMiniflare, type Miniflare } from '../../support/workers/miniflare.ts'

const MiniflareClass = await importMiniflare()

describe('storage in a Durable Object and R2 inside workerd conforms', () => {
  let miniflare: Miniflare | undefined

  beforeAll(async () => {
    miniflare = new MiniflareClass({
      cf: false,
      modules: true,
      script: await bundleWorker(join(import.meta.dirname, 'workerd-worker.ts')),
      compatibilityDate: '2026-04-01',
      durableObjects: { CONFORMANCE: { className: 'Conformance', useSQLite: true } },
      r2Buckets: ['BUCKET'],
    })
  })

  afterAll(() => miniflare?.dispose())

  const createStorage = (): Promise<ReturnType<typeof createMemoryStorage>> =>
    Promise.resolve(createMemoryStorage())
  for (const { name } of storageConformance({ createStorage, reopen: createStorage })) {
    test(name, async () => {
      const answer = await miniflare?.dispatchFetch(`http://localhost/${encodeURIComponent(name)}`)
      expect(await answer?.text()).toBe('')
    })
  }
})
