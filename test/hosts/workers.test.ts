import { join } from 'node:path'
import { build } from 'esbuild'
import { Miniflare } from 'miniflare'
import { hubSuite, type RunningHub } from './hub-suite.ts'

const account = '0123456789abcdef0123456789abcdef'
const apiToken = 'secret'

/** Bundles the ready Worker, as its users' tools do, and runs it in workerd. */
async function startWorker(): Promise<RunningHub> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, '../../src/hosts/workers/index.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    external: ['cloudflare:workers'],
  })
  const miniflare = new Miniflare({
    cf: false,
    modules: true,
    script: outputFiles[0]?.text ?? '',
    compatibilityDate: '2026-04-01',
    bindings: { ACCOUNT: account, API_TOKEN: apiToken },
    durableObjects: {
      REPOSITORIES: { className: 'RepositoryObject', useSQLite: true },
      REGISTRY: { className: 'RegistryObject', useSQLite: true },
    },
    r2Buckets: ['PACKS'],
  })
  const { origin } = await miniflare.ready
  return { origin, account, apiToken, close: () => miniflare.dispose() }
}

hubSuite('workerd', startWorker)
