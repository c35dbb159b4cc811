import { spawn } from 'node:child_process'
import { gitEnvironment } from '../test/support/git.ts'

/** Runs a program to its end, as a user does: start-up included. Rejects when it fails. */
export function runCommand(program: string, args: readonly string[], cwd?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: gitEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] })
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`${program} ${args.join(' ')} ended with ${String(code)}:\n${stderr}`))
    })
  })
}
