import { isGitError } from '../../errors.ts'
import { hostMemoryBytes, keepHeapSmall, serve, type RunningServer } from '../../hosts/node/index.ts'
import { createGitHandler, type ResolveRepository } from '../../http/index.ts'
import { createNodeCodecs } from '../../codec/node/index.ts'
import { createMemoryBudget } from '../../odb/memory-budget.ts'
import type { OpenRepositoryOptions } from '../../repository/repository.ts'
import { writeOut } from '../output.ts'
import { formatRequest } from './request-log.ts'

/** Repositories that stay open between requests. */
export const OPEN_REPOSITORIES = 64

/** With a budget up to this, in bytes, the memory of the runtime itself counts too. */
const SMALL_BUDGET = 64 << 20

/** How long running requests may take after the signal to stop, in milliseconds. */
const GRACE_MS = 10_000

export interface RunServerOptions {
  readonly host: string
  readonly port: number
  readonly quiet: boolean
  readonly resolve: ResolveRepository
  /** What is said about the server, beside its address, when it listens. */
  readonly describe?: (url: string) => string
}

/**
 * How a server opens its repositories: with memory that they share, and care for what strangers send.
 *
 * @param memoryBudget in bytes; default: what fits the machine.
 */
export function createSharedOptions(memoryBudget: number = hostMemoryBytes()): OpenRepositoryOptions {
  const isSmall = memoryBudget <= SMALL_BUDGET
  return {
    codecs: createNodeCodecs(),
    receiveCodecs: createNodeCodecs({ collisionDetection: true }),
    memoryBudget: createMemoryBudget(memoryBudget, isSmall ? { collectGarbage: keepHeapSmall() } : {}),
  }
}

/** Serves until SIGINT or SIGTERM, then closes what is open and ends the process. */
export async function runServer(options: RunServerOptions, close: () => Promise<void>): Promise<void> {
  const server = await serve({
    handler: createGitHandler({ resolve: options.resolve, onError: logError }),
    host: options.host,
    port: options.port,
    onError: logError,
    ...(options.quiet ? {} : { onRequest: (record) => process.stderr.write(formatRequest(record) + '\n') }),
  })
  const stopped = stopOnSignal(server)
  await writeOut(`listening on ${server.url}\n`)
  if (options.describe !== undefined) await writeOut(options.describe(server.url))
  await stopped
  await close()
  // Work for requests that were cut off may still be on its way out; nobody waits for it.
  process.exit()
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
