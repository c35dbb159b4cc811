import type { FetchHandler } from '../node-listener.ts'
import type { ServeOptions } from '../serve.ts'
import { takeMembership, type Membership } from './membership.ts'
import type { ProcessRole } from './process-role.ts'
import { assertProcessCount, watchProcesses, type WatchOptions } from './watch-processes.ts'

/** What a process answers requests with. */
export interface MemberService {
  readonly handler: FetchHandler
  /** Passed to `onReady`, of the first process. */
  readonly description?: string
  /** Called when all requests are over and the process is about to end. */
  readonly close?: () => Promise<void>
}

export interface ServeProcessesOptions
  extends Omit<ServeOptions, 'handler'>, Pick<WatchOptions, 'processes' | 'onReady' | 'onDeath'> {
  /** Makes what answers requests, in each of the processes that do. Requests wait for it. */
  readonly start: (
    member: ProcessRole & {
      /** Where it listens, without a slash at the end. */
      readonly url: string
    },
  ) => MemberService | Promise<MemberService>
}

/**
 * Serves with several processes that share one port and one store, until SIGINT or SIGTERM. The program that calls it is started so many
 * times more; the process that was there first watches the others, and starts another one for each that dies.
 *
 * @returns in the process that watches, its exit code. The others end by themselves.
 * @throws GitError `INVALID_ARGUMENT`; whatever `start` and listening throw
 */
export async function serveProcesses(options: ServeProcessesOptions): Promise<number> {
  const { processes, port = 0, onReady, onDeath } = options
  assertProcessCount(processes)
  const membership = takeMembership()
  if (membership !== undefined) return serveAsMember(membership, options)
  return watchProcesses({
    processes,
    port,
    ...(onReady === undefined ? {} : { onReady }),
    ...(onDeath === undefined ? {} : { onDeath }),
  })
}

/** Serves in a process that another one watches, and ends it. */
export async function serveAsMember(
  membership: Membership,
  options: Pick<ServeProcessesOptions, Exclude<keyof ServeProcessesOptions, 'processes' | 'port'>>,
): Promise<never> {
  let settle: (service: MemberService) => void = () => undefined
  const service = new Promise<MemberService>((resolve) => {
    settle = resolve
  })
  const server = await membership.serve({
    ...options,
    handler: async (request) => (await service).handler(request),
  })
  let started: MemberService
  try {
    started = await options.start({ ...membership.role, url: server.url })
  } catch (error) {
    await server.close(0)
    throw error
  }
  settle(started)
  server.ready(started.description ?? '')
  await server.stopped
  await started.close?.()
  // Work for requests that were cut off may still be on its way out; nobody waits for it.
  process.exit()
}
