import { spawn } from 'node:child_process'
import { packstoneCommand } from '../support/servers/packstone.ts'

export interface CommandResult {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

/** Runs the built command to its end, as a user does, without git on its PATH. */
export function runPackstone(
  args: readonly string[],
  options: {
    readonly cwd?: string
    readonly input?: string
    /** What else is in its environment. */
    readonly environment?: Readonly<Record<string, string>>
  } = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [packstoneCommand(), ...args], {
      cwd: options.cwd,
      env: { PATH: '/nowhere', TZ: 'UTC', ...options.environment },
    })
    const stdout: Buffer[] = []
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    // A command that fails early does not read its input.
    child.stdin.on('error', () => undefined)
    child.on('error', reject)
    child.on('close', (code) => {
      resolve({ code, stdout: Buffer.concat(stdout), stderr })
    })
    child.stdin.end(options.input ?? '')
  })
}
