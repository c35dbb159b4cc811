import { execFile } from 'node:child_process'
import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import { promisify } from 'node:util'

/**
 * Deno, with a manifest of its own: a registry need not have its binaries for every platform, which the lock file of the project would
 * have to name. Tests and benchmarks run in the project's folder.
 */
const INSTALLATION = resolve('test/support/deno')
const PROGRAM = resolve(INSTALLATION, 'node_modules/deno/bin.cjs')

/** Installs Deno unless it is: a fresh clone of the project has it not. Resolves with the command that runs it. */
export async function installDeno(): Promise<readonly string[]> {
  const isThere = await access(PROGRAM).then(
    () => true,
    () => false,
  )
  if (!isThere) {
    const args = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund']
    await promisify(execFile)('npm', args, { cwd: INSTALLATION })
  }
  return [process.execPath, PROGRAM]
}
