import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'tsup'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storageConformance } from '../../../src/storage/conformance/index.ts'
import { createMemoryStorage } from '../../../src/storage/memory/index.ts'

/** What is used of miniflare, which runs Workers in the real workerd. */
interface Miniflare {
  dispatchFetch(url: string): Promise<{ text(): Promise<string> }>
  dispose(): Promise<void>
}

/** The name of the module, unknown to the compiler: it is there only where somebody installed it. */
const MINIFLARE: string = 'miniflare'

async function importMiniflare(): Promise<(new (options: object) => Miniflare) | undefined> {
  try {
    return ((await import(MINIFLARE)) as { Miniflare: new (options: object) => Miniflare }).Miniflare
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}

const MiniflareClass = await importMiniflare()

describe.skipIf(MiniflareClass === undefined)('storage in a Durable Object inside workerd conforms', () => {
  let miniflare: Miniflare | undefined

  beforeAll(async () => {
    if (MiniflareClass === undefined) return
    const folder = await mkdtemp(join(tmpdir(), 'packstone-workerd-'))
    await build({
      entry: { worker: join(import.meta.dirname, 'workerd-worker.ts') },
      format: 'esm',
      platform: 'neutral',
      outDir: folder,
      outExtension: () => ({ js: '.mjs' }),
      config: false,
      silent: true,
    })
    const script = await readFile(join(folder, 'worker.mjs'), 'utf8')
    await rm(folder, { recursive: true })
    miniflare = new MiniflareClass({
      cf: false,
      modules: true,
      script,
      compatibilityDate: '2026-04-01',
      durableObjects: { CONFORMANCE: { className: 'Conformance', useSQLite: true } },
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
