import { spawn } from 'node:child_process'
import { open, type FileHandle } from 'node:fs/promises'
import { gitEnvironment } from '../test/support/git.ts'
import { pinned } from './cores.ts'

export interface ProcessOptions {
  readonly core: string | undefined
  /** Path of what it reads from standard input; absent: nothing. */
  readonly input?: string
  /** Path of what it writes to standard output; absent: thrown away. */
  readonly output?: string
  readonly env?: Readonly<Record<string, string>>
}

export interface ProcessTime {
  readonly milliseconds: number
  readonly cpuMilliseconds: number
}

/** Fd 3 gets what bash says of the time; the program's own standard error stays what it is. */
const SCRIPT = 'TIMEFORMAT="%3R %3U %3S"; { time "$@" 2>&4; } 4>&2 2>&3'

/** Runs a program to its end, as a user does, start-up included, and says what it took: bash's `time`. Rejects when it fails. */
export async function timeProcess(command: readonly string[], options: ProcessOptions): Promise<ProcessTime> {
  const files: FileHandle[] = []
  const descriptor = async (path: string | undefined, flags: string): Promise<number | 'ignore'> => {
    if (path === undefined) return 'ignore'
    const file = await open(path, flags)
    files.push(file)
    return file.fd
  }
  try {
    const input = await descriptor(options.input, 'r')
    const output = await descriptor(options.output, 'w')
    return await run(command, options, input, output)
  } finally {
    for (const file of files) await file.close()
  }
}

function run(
  command: readonly string[],
  options: ProcessOptions,
  input: number | 'ignore',
  output: number | 'ignore',
): Promise<ProcessTime> {
  const [program = '', ...args] = pinned(options.core, ['bash', '-c', SCRIPT, 'bash', ...command])
  return new Promise((resolve, reject) => {
    const env = { ...gitEnvironment(), ...options.env }
    const child = spawn(program, args, { env, stdio: [input, output, 'pipe', 'pipe'] })
    const [, , stderr, report] = child.stdio
    let errors = ''
    let times = ''
    stderr?.on('data', (chunk: Buffer) => {
      errors += chunk.toString()
    })
    report?.on('data', (chunk: Buffer) => {
      times += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', (code) => {
      const [real, user, system] = times.trim().split(/\s+/).map(Number)
      if (code !== 0 || real === undefined || user === undefined || system === undefined)
        reject(new Error(`${command.join(' ')} ended with ${String(code)}:\n${errors}${times}`))
      else resolve({ milliseconds: 1000 * real, cpuMilliseconds: 1000 * (user + system) })
    })
  })
}
