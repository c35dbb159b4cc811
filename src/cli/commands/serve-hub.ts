import { mkdir } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { createPublicFetch } from '../../hosts/node/index.ts'
import {
  ARTIFACTS_LIMITS,
  createBucketRegistry,
  createHub,
  createMemoryRegistry,
  createSqliteRegistry,
  type GitCapabilities,
  type Hub,
  type Registry,
} from '../../hub/index.ts'
import { openNodeDatabase } from '../../storage/sqlite/drivers/node.ts'
import type { Storage } from '../../storage/storage.ts'
import { readAutoPackLimit } from '../../repository/maintenance/maintenance-scheduler.ts'
import { maintainStorage } from '../../repository/maintenance/maintained-storage.ts'
import type { MaintainWhen } from '../serve/maintain-after-pushes.ts'
import { prepareDemo } from '../serve/demo-repository.ts'
import { createWebhookSinks } from '../serve/webhooks.ts'
import { openBucketStorage, openPlainStorage, type PlainStorageOptions } from '../serve/plain-storage.ts'
import type { ServingProcess } from '../serve/serving-process.ts'
import {
  createSharedOptions,
  logError,
  OPEN_REPOSITORIES,
  runServer,
  type Served,
} from '../serve/run-server.ts'

export interface ServeHubOptions extends PlainStorageOptions {
  readonly host: string
  readonly port: number
  readonly data: string
  readonly apiToken?: string
  readonly account: string
  readonly origin?: string
  readonly artifactsLimits: boolean
  readonly gitCapabilities: GitCapabilities
  /** Addresses that events are posted to. */
  readonly webhook: readonly string[]
  readonly webhookSecret?: string
  readonly importAllowLoopback: boolean
  readonly demo: boolean
  /** Bytes. */
  readonly memoryBudget?: number
  readonly threads: number
  readonly maintain: MaintainWhen
  readonly quiet: boolean
  readonly serving: ServingProcess
}

/** How often what was left undone is taken up, in milliseconds. */
const RESUME_MS = 60_000

/** `packstone serve`: a hub on a store of its own, until SIGINT or SIGTERM. */
export async function serveHubCommand(options: ServeHubOptions): Promise<void> {
  const { host, port, quiet, serving, account } = options
  const { role } = serving
  const sinks = createWebhookSinks(options.webhook, options.webhookSecret)
  const { storage, registry } = await openStores(options)
  // A variable that is empty is none.
  const given = options.apiToken ?? (process.env['PACKSTONE_API_TOKEN'] || undefined)
  const apiToken = given ?? role.secret
  const shared = await createSharedOptions(serving, options)
  const maintained =
    options.maintain === 'off'
      ? undefined
      : maintainStorage(storage, {
          ...shared,
          maxPacks: readAutoPackLimit,
          onError: logError,
          ...(role.isKeeper ? {} : { elsewhere: role.tellKeeper }),
        })
  if (maintained !== undefined) role.onTold(maintained.notify)
  const allowLoopback = options.importAllowLoopback
  const outside = createPublicFetch({ allowLoopback })
  const createFor = (origin: string): Hub =>
    createHub({
      ...shared,
      storage: maintained?.storage ?? storage,
      registry,
      origin,
      account,
      apiTokens: [apiToken],
      openRepositories: OPEN_REPOSITORIES,
      imports: { fetch: outside.fetch, allowLoopbackHttp: allowLoopback },
      ...(options.artifactsLimits ? { limits: ARTIFACTS_LIMITS } : {}),
      git: { capabilities: options.gitCapabilities },
      ...(sinks.length === 0 ? {} : { events: { sinks } }),
      onError: logError,
    })

  let hub: Hub | undefined
  let timer: NodeJS.Timeout | undefined
  const start = async (url: string): Promise<Served> => {
    const origin = (options.origin ?? url).replace(/\/+$/, '')
    const created = createFor(origin)
    hub = created
    if (role.isKeeper) {
      await created.resume()
      timer = setInterval(() => void created.resume().catch(logError), RESUME_MS)
    }
    const base = `${origin}/client/v4/accounts/${account}/artifacts`
    if (!role.isFirst) return { handler: created.fetch }
    const description = describe(options, {
      base,
      // A token that was given is not repeated: this text may end up in a log.
      apiToken: given === undefined ? apiToken : '(the one that was given)',
      clone: options.demo ? await prepareDemo({ hub: created, base, apiToken }) : undefined,
    })
    return { handler: created.fetch, description }
  }
  await runServer({ host, port, quiet, serving, start }, async () => {
    clearInterval(timer)
    await hub?.close()
    outside.close()
    await maintained?.close()
    await storage.close()
    await registry.close()
  })
}

/** Opens what repositories are in, and beside it what is known about them. */
async function openStores(
  options: ServeHubOptions,
): Promise<{ readonly storage: Storage; readonly registry: Registry }> {
  const { data } = options
  if (options.storage === 's3') {
    const storage = await openBucketStorage(options)
    const { bucket } = storage
    return { storage, registry: createBucketRegistry({ bucket, prefix: `${options.prefix ?? ''}hub/` }) }
  }
  const storage = await openPlainStorage(options, join(data, 'repositories'))
  if (options.storage === 'memory') return { storage, registry: createMemoryRegistry() }
  await mkdir(data, { recursive: true })
  const database = await openNodeDatabase({ path: join(data, 'hub.db') })
  return { storage, registry: createSqliteRegistry({ database }) }
}

interface Access {
  readonly base: string
  /** As it is shown. */
  readonly apiToken: string
  /** The address of a repository that is ready. */
  readonly clone: string | undefined
}

function describe(options: ServeHubOptions, { base, apiToken, clone }: Access): string {
  const where = {
    memory: 'Everything is in memory and gone when it stops.',
    s3: 'Its data is in the bucket.',
    fs: `Its data is in ${relative(process.cwd(), resolve(options.data)) || '.'}.`,
    sqlite: `Its data is in ${relative(process.cwd(), resolve(options.data)) || '.'}.`,
  }[options.storage]
  return [
    '',
    `  REST API   ${base}`,
    `  API token  ${apiToken}`,
    '',
    ...(clone === undefined
      ? []
      : ['A repository is ready. In another terminal:', '', `  git clone ${clone}`, '']),
    `${where} Stop with Ctrl-C.`,
    '',
    '',
  ].join('\n')
}
