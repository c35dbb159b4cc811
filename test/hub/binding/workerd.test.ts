import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleWorker, importMiniflare, type Miniflare } from '../../support/workers/miniflare.ts'
import { BINDING_CASES } from './contract.ts'

const MiniflareClass = await importMiniflare()

describe('the binding through an RPC stub of workerd', () => {
  let miniflare: Miniflare | undefined

  beforeAll(async () => {
    const bundle = (name: string): Promise<string> => bundleWorker(join(import.meta.dirname, name))
    const shared = { modules: true, compatibilityDate: '2026-04-01' }
    miniflare = new MiniflareClass({
      cf: false,
      workers: [
        {
          ...shared,
          name: 'client',
          script: await bundle('workerd-client.ts'),
          serviceBindings: { ARTIFACTS: { name: 'hub', entrypoint: 'Artifacts' } },
        },
        { ...shared, name: 'hub', script: await bundle('workerd-hub.ts') },
      ],
    })
  })

  afterAll(() => miniflare?.dispose())

  test.each(BINDING_CASES)('$name', async ({ name }) => {
    const answer = await miniflare?.dispatchFetch(`http://localhost/${encodeURIComponent(name)}`)
    expect(await answer?.text()).toBe('')
  })

  test('has the methods themselves, for Workers that were written for Cloudflare', async () => {
    const answer = await miniflare?.dispatchFetch('http://localhost/direct')
    expect(JSON.parse((await answer?.text()) ?? '')).toEqual({
      isSame: true,
      log: [],
      tokens: 1,
      listed: true,
      failure: expect.stringContaining('ArtifactsError: Repository not found: none.') as string,
    })
  })
})
