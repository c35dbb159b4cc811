import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { listPacks } from '../test/support/repositories.ts'
import { packstoneCommand } from '../test/support/servers/packstone.ts'
import { pinned, type Cores } from './cores.ts'
import { programPath } from './program-path.ts'
import type { Provider } from './targets.ts'

/** A server in a process of its own. */
export interface RunningServer {
  readonly url: string
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
): Promise<RunningServer> {
  if (provider === 'portable')
    return start([process.execPath, programPath('portable-server'), directory], cores)
  const options = ['--bare', directory, '--port', '0', '--quiet', '--allow-push']
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
      resolve({ url: url.replace(/\/$/, ''), close })
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
