import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Which core does what. Undefined: nothing is pinned, because this machine has one core or no `taskset`. */
export interface Cores {
  /** What is measured: whole processes, servers, in-process work. */
  readonly measured: string | undefined
  /** This process, which asks and waits. */
  readonly client: string | undefined
}

/** Finds two cores that this process may use, and a way to pin to them. */
export function findCores(): Cores {
  const [measured, client] = allowedCores()
  const none = { measured: undefined, client: undefined }
  if (measured === undefined || client === undefined) return none
  return spawnSync('taskset', ['-c', measured, 'true']).status === 0 ? { measured, client } : none
}

/** Pins all threads of this process, so that what it measures has the other core for itself. */
export function pinThisProcess({ client }: Cores): void {
  if (client !== undefined) spawnSync('taskset', ['-acp', client, String(process.pid)])
}

/** The command that runs a program on one core, or wherever when there is none to pin to. */
export function pinned(core: string | undefined, command: readonly string[]): readonly string[] {
  return core === undefined ? command : ['taskset', '-c', core, ...command]
}

/** From `Cpus_allowed_list`, such as `0-1,4`. */
function allowedCores(): string[] {
  let status: string
  try {
    status = readFileSync('/proc/self/status', 'utf8')
  } catch {
    // No Linux: there is no taskset either.
    return []
  }
  const ranges = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1]?.split(',') ?? []
  return ranges.flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, at) => String(first + at))
  })
}
