import { spawn } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'tsup'
import { onTestFinished } from 'vitest'

/** Builds the child process where it finds the packages that it needs. Removed when the test is over. */
export async function buildChild(): Promise<string> {
  const folder = join('node_modules', '.cache', `packstone-sqlite-${process.pid}-${Date.now()}`)
  await mkdir(folder, { recursive: true })
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await build({
    entry: { child: join(import.meta.dirname, 'child.ts') },
    format: 'esm',
    outDir: folder,
    outExtension: () => ({ js: '.mjs' }),
    external: ['@photostructure/sqlite'],
    config: false,
    silent: true,
  })
  return join(folder, 'child.mjs')
}

export interface ChildResult {
  /** The numbers that it said, whole lines only. */
  readonly numbers: readonly number[]
  readonly code: number | null
}

/**
 * Runs the child.
 *
 * @param killAfter kills it so many milliseconds after its first word.
 */
export function runChild(
  script: string,
  args: readonly string[],
  options: { readonly killAfter?: number; readonly nodeArgs?: readonly string[] } = {},
): Promise<ChildResult> {
  const { killAfter, nodeArgs = [] } = options
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...nodeArgs, script, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      if (output === '' && killAfter !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfter)
      output += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', (code) => {
      resolve({ numbers: output.split('\n').slice(0, -1).map(Number), code })
    })
  })
}
