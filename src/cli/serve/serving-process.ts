import { createSoleRole, type ProcessRole } from '../../hosts/node/processes/process-role.ts'
import type { Membership } from '../../hosts/node/processes/membership.ts'
import { misuse } from '../failure.ts'
import { writeOut } from '../output.ts'
import type { PlainStorageKind } from './plain-storage.ts'

/** A process of `packstone serve` that answers requests: the only one, or one of several. */
export interface ServingProcess {
  readonly role: ProcessRole
  /** How many there are. */
  readonly count: number
  /** Absent: it is the only one. */
  readonly membership?: Membership
}

export interface EnterOptions {
  readonly processes: number
  readonly port: number
  /** What is served, where it is not a folder of bare repositories. */
  readonly storage: PlainStorageKind
  readonly bare?: string
}

/**
 * Finds out which process this one is. In the one that watches the others nothing is left to do when this resolves, with `undefined`: they
 * have served, and have ended.
 */
export async function enterServingProcess(options: EnterOptions): Promise<ServingProcess | undefined> {
  const { processes, port, storage, bare } = options
  if (processes === 1) return { role: createSoleRole(), count: 1 }
  if (bare === undefined && storage === 'memory') {
    throw misuse('--storage memory is in the memory of one process; --processes needs one that several share')
  }
  const { takeMembership } = await import('../../hosts/node/processes/membership.ts')
  const membership = takeMembership()
  if (membership !== undefined) return { role: membership.role, count: processes, membership }
  const { watchProcesses } = await import('../../hosts/node/processes/watch-processes.ts')
  process.exitCode = await watchProcesses({
    processes,
    port,
    onReady: ({ url, description }) => void writeOut(`listening on ${url}\n${description}`),
    onDeath: ({ pid, how, delay }) => {
      process.stderr.write(`packstone: process ${pid} ended (${how}); another one follows in ${delay} ms\n`)
    },
  })
  return undefined
}
