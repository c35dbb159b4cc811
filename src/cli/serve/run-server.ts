import { isGitError } from '../../errors.ts'
import {
  hostMemoryBytes,
  keepHeapSmall,
  serve,
  type FetchHandler,
  type RunningServer,
  type ServeOptions,
} from '../../hosts/node/index.ts'
import type { Threads } from '../../hosts/threads/index.ts'
import { createNodeCodecs } from '../../codec/node/index.ts'
import { createMemoryBudget } from '../../odb/memory-budget.ts'
import type { OpenRepositoryOptions } from '../../repository/repository.ts'
import { writeOut } from '../output.ts'
import type { ServingProcess } from './serving-process.ts'
import { formatRequest } from './request-log.ts'

/** Repositories that stay open between requests. */
export const OPEN_REPOSITORIES = 64

/** With a budget up to this, in bytes, the memory of the runtime itself counts too. */
const SMALL_BUDGET = 64 << 20

/** What each process has at the least. */
const LEAST_BUDGET = 1 << 20

/** How long running requests may take after the signal to stop, in milliseconds. */
const GRACE_MS = 10_000

/** What answers requests, and what is said about it. */
export interface Served {
  readonly handler: FetchHandler
  /** What is printed beside the address. */
  readonly description?: string
}

export interface RunServerOptions {
  readonly host: string
  readonly port: number
  readonly quiet: boolean
  readonly serving: ServingProcess
  /** Makes the handler, for an address without a slash at its end. Requests wait for it. */
  readonly start: (url: string) => Served | Promise<Served>
}

export interface SharedOptions {
  /** In bytes, for all processes together; default: what fits the machine. */
  readonly memoryBudget?: number
  /** How many threads index a large pack in each process. */
  readonly threads: number
}

/** How a server opens its repositories: with memory and threads that they share, and care for what strangers send. */
export async function createSharedOptions(
  { count }: ServingProcess,
  { memoryBudget = hostMemoryBytes(), threads }: SharedOptions,
): Promise<OpenRepositoryOptions & { readonly threads?: Threads }> {
  const bytes = Math.max(LEAST_BUDGET, Math.floor(memoryBudget / count))
  const isSmall = bytes <= SMALL_BUDGET
  return {
    codecs: createNodeCodecs(),
    receiveCodecs: createNodeCodecs({ collisionDetection: true }),
    memoryBudget: createMemoryBudget(bytes, isSmall ? { collectGarbage: keepHeapSmall() } : {}),
    ...(threads === 1 ? {} : { threads: await startThreads(threads) }),
  }
}

async function startThreads(count: number): Promise<Threads> {
  const { createThreads } = await import('../../hosts/threads/index.ts')
  return createThreads({ count, collisionDetection: true })
}

/** Serves until SIGINT or SIGTERM, or until the process that watches this one says so; then closes what is open and ends the process. */
export async function runServer(options: RunServerOptions, close: () => Promise<void>): Promise<void> {
  const { host, port, quiet, serving, start } = options
  const how: Omit<ServeOptions, 'handler'> = {
    host,
    onError: logError,
    ...(quiet ? {} : { onRequest: (record) => process.stderr.write(formatRequest(record) + '\n') }),
  }
  if (serving.membership !== undefined) {
    const { serveAsMember } = await import('../../hosts/node/processes/serve-processes.ts')
    await serveAsMember(serving.membership, {
      ...how,
      start: async ({ url }) => ({ ...(await start(url)), close }),
    })
  }
  const served = promiseOfServed()
  const server = await serve({
    ...how,
    port,
    handler: async (request) => (await served.promise).handler(request),
  })
  const stopped = stopOnSignal(server)
  try {
    const { handler, description = '' } = await start(server.url)
    served.resolve({ handler })
    await writeOut(`listening on ${server.url}\n${description}`)
  } catch (error) {
    await server.close(0)
    throw error
  }
  await stopped
  await close()
  // Work for requests that were cut off may still be on its way out; nobody waits for it.
  process.exit()
}

function promiseOfServed(): {
  readonly promise: Promise<Served>
  readonly resolve: (served: Served) => void
} {
  let resolve: (served: Served) => void = () => undefined
  const promise = new Promise<Served>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

function stopOnSignal(server: RunningServer): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopping = false
    const stop = (): void => {
      // Whoever asks a second time does not want to wait.
      const grace = stopping ? 0 : GRACE_MS
      stopping = true
      server.close(grace).then(resolve, reject)
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })
}

/** Says on stderr what went wrong with a request. */
export function logError(error: unknown): void {
  // A client that went away is in the request log, and no failure of the server.
  if (isGitError(error, 'ABORTED')) return
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`packstone: ${message}\n`)
}
