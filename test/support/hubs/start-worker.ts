import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { Miniflare } from 'miniflare'
import type { RunningHub } from './rest-client.ts'

const account = '0123456789abcdef0123456789abcdef'
const apiToken = 'secret'

export interface StartOptions {
  /** The path of the program. Default: the ready Worker. */
  readonly program?: string
  readonly bindings?: Readonly<Record<string, string>>
  /** Send events to a queue, which the other Worker consumes. */
  readonly events?: boolean
  /** The path of the program of another Worker, bound to the first by `ARTIFACTS`, for the namespace `team`. */
  readonly client?: string
  /** A folder that keeps objects and buckets when the Worker is stopped. */
  readonly keep?: string
}

export interface RunningWorker extends RunningHub {
  readonly miniflare: Miniflare
}

/** Tests and benchmarks run in the project's folder. */
const READY = resolve('src/hosts/workers/index.ts')

/** Bundles a program into one module. */
async function bundle(program: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [program],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    external: ['cloudflare:workers'],
  })
  return outputFiles[0]?.text ?? ''
}

/** Bundles the ready Worker, or another program. */
export function bundleReadyWorker(program: string = READY): Promise<string> {
  return bundle(program)
}

/** Bundles a Worker, as its users' tools do, and runs it in workerd. */
export async function startWorker(options: StartOptions = {}): Promise<RunningWorker> {
  const shared = { modules: true, compatibilityDate: '2026-04-01' } as const
  const hub = {
    ...shared,
    name: 'hub',
    script: await bundle(options.program ?? READY),
    bindings: { ACCOUNT: account, API_TOKEN: apiToken, ...options.bindings },
    durableObjects: {
      REPOSITORIES: { className: 'RepositoryObject', useSQLite: true },
      REGISTRY: { className: 'RegistryObject', useSQLite: true },
    },
    r2Buckets: ['PACKS'],
    ...(options.events === true ? { queueProducers: { EVENTS: 'events' } } : {}),
  }
  const client = options.client && {
    ...shared,
    name: 'client',
    script: await bundle(options.client),
    ...(options.events === true ? { queueConsumers: { events: { maxBatchTimeout: 1 } } } : {}),
    serviceBindings: {
      ARTIFACTS: { name: 'hub', entrypoint: 'ArtifactsEntrypoint', props: { namespace: 'team' } },
    },
  }
  const miniflare = new Miniflare({
    cf: false,
    workers: client === undefined ? [hub] : [hub, client],
    ...(options.keep === undefined
      ? {}
      : { durableObjectsPersist: join(options.keep, 'objects'), r2Persist: join(options.keep, 'buckets') }),
  })
  const { origin } = await miniflare.ready
  return { origin, account, apiToken, miniflare, close: () => miniflare.dispose() }
}
