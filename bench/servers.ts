import { execFileSync, spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { listPacks } from '../test/support/repositories.ts'
import { packstoneCommand } from '../test/support/servers/packstone.ts'
import { pinned, type Cores } from './cores.ts'
import { timed, type Sample } from './measure.ts'
import { programPath } from './program-path.ts'
import type { Provider } from './targets.ts'

/** A server in a process of its own. */
export interface RunningServer {
  readonly url: string
  /** What it has used so far, with all programs that it ran to their end; in steps of some 10 ms. Undefined where nobody says. */
  cpuMilliseconds(): Promise<number | undefined>
  /** The most memory that it ever had resident: its own, not that of programs that it ran. Linux only. */
  peakBytes(): Promise<number>
  close(): Promise<void>
}

const START_MS = 30_000

/** git's own server as a CGI program, behind node:http. */
export function startGitServer(directory: string, cores: Cores): Promise<RunningServer> {
  return start([process.execPath, programPath('git-server'), directory], cores)
}

/** `packstone serve`; with the portable codecs, which the command has no option for, a program that serves as it does. */
export function startPackstoneServer(
  directory: string,
  provider: Provider,
  cores: Cores,
  more: readonly string[] = [],
): Promise<RunningServer> {
  if (provider === 'portable')
    return start([process.execPath, programPath('portable-server'), directory], cores)
  const options = ['--bare', directory, '--port', '0', '--quiet', '--allow-push', ...more]
  return start([process.execPath, packstoneCommand(), 'serve', ...options], cores)
}

function start(command: readonly string[], cores: Cores): Promise<RunningServer> {
  const [program = '', ...args] = pinned(cores.measured, command)
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve()
    })
  })
  const close = (): Promise<void> => {
    child.kill('SIGTERM')
    return closed
  }
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`${command.join(' ')} did not say where it listens within ${START_MS} ms`))
    }, START_MS)
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
      const url = /listening on (http:\/\/\S+)/.exec(out)?.[1]
      if (url === undefined) return
      clearTimeout(timer)
      const cpuMilliseconds = (): Promise<number | undefined> => readCpu(child.pid ?? 0)
      const peakBytes = (): Promise<number> => readPeak(child.pid ?? 0)
      resolve({ url: url.replace(/\/$/, ''), cpuMilliseconds, peakBytes, close })
    })
    child.once('error', reject)
    void closed.then(() => {
      clearTimeout(timer)
      reject(new Error(`${command.join(' ')} ended before it listened`))
    })
  })
}

/** Waits until packstone has written down what it derives from the packs of a repository; for packs that it never does that for, in vain. */
export async function untilDescribed(repository: string, patience: number): Promise<void> {
  const packs = (await listPacks(repository)).length
  for (const start = performance.now(); performance.now() - start < patience;) {
    const files = await readdir(join(repository, 'packstone')).catch(() => [])
    if (files.filter((name) => !name.startsWith('tmp_')).length >= packs) return
    await delay(50)
  }
}

/** Repeats a request until the compiler of the server has seen it: for a second and a half, at most so many times. */
export async function warmUp(times: number, run: () => Promise<unknown>): Promise<void> {
  const start = performance.now()
  for (let count = 0; count < times && performance.now() - start < 1500; count++) await run()
}

/** Measures a request, or several, that one server answers; `run` resolves with the bytes of the answer. */
export async function timeServer(server: RunningServer, run: () => Promise<number>): Promise<Sample> {
  const before = await server.cpuMilliseconds()
  const sample = await timed(run)
  const after = await server.cpuMilliseconds()
  if (before === undefined || after === undefined) return sample
  return { ...sample, cpuMilliseconds: after - before }
}

/** User and system time of a process and of its children that have ended: fields 14 to 17 of /proc/<pid>/stat. */
async function readCpu(pid: number): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The second field is the name in parentheses, which may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
  return (ticks * 1000) / ticksPerSecond()
}

function ticksPerSecond(): number {
  return Number(execFileSync('getconf', ['CLK_TCK']).toString())
}

async function readPeak(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return 1024 * Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1])
}
