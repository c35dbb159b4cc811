import { runPackstone } from '../cli/run-packstone.ts'
import type { MaintainBeside } from './concurrent-maintenance.ts'

const MODES: readonly (readonly string[])[] = [
  ['--geometric'],
  ['--gc', '--grace=10m'],
  ['--geometric'],
  ['--full', '--force', '--window=3'],
  ['--gc', '--grace=1h', '--time-budget=0.2'],
]

/** Runs `packstone maintain` in a process of its own, each time in another mode. */
export const maintainWithPackstone: MaintainBeside = async (repository, round) => {
  const mode = MODES[round % MODES.length] ?? []
  const { code, stdout, stderr } = await runPackstone(['maintain', ...mode, repository])
  // 3: there is more to do, or git's gc was at it.
  if (code === 0 || code === 3) return undefined
  return `packstone maintain ${mode.join(' ')} ended with ${code}: ${stderr}${stdout.toString()}`
}
