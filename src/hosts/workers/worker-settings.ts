import { GitError } from '../../errors.ts'
import type { WorkerEnvironment } from './bindings.ts'

/** What the environment says about a Worker's repositories, in milliseconds. */
export interface WorkerSettings {
  readonly maintenanceDelay: number
  readonly consolidationDelay: number
  readonly gracePeriod: number
}

/** @throws GitError `INVALID_ARGUMENT` */
export function readSettings(
  env: Pick<WorkerEnvironment, 'MAINTENANCE_DELAY' | 'CONSOLIDATION_DELAY' | 'GRACE_PERIOD'>,
): WorkerSettings {
  return {
    maintenanceDelay: readSeconds('MAINTENANCE_DELAY', env.MAINTENANCE_DELAY ?? 30),
    consolidationDelay: readSeconds('CONSOLIDATION_DELAY', env.CONSOLIDATION_DELAY ?? 3600),
    gracePeriod: readSeconds('GRACE_PERIOD', env.GRACE_PERIOD ?? 86_400),
  }
}

function readSeconds(name: string, value: string | number): number {
  const seconds = Number(value)
  if (value !== '' && seconds >= 0 && seconds < 1e8) return seconds * 1000
  throw new GitError('INVALID_ARGUMENT', `${name} is '${value}'; expected a number of seconds`)
}
