import { spawn } from 'node:child_process'
import { resolve as resolvePath } from 'node:path'
import type { GitServer } from './git-server.ts'

/** Far more than it ever takes, on a machine that has much else to do. */
const START_MS = 120_000

export interface PackstoneOptions {
  /** More arguments for `packstone serve`. */
  readonly args?: readonly string[]
  /** Arguments for Node itself, e.g. a heap limit. */
  readonly nodeArgs?: readonly string[]
}

/**
 * The built command. Tests and benchmarks run from the top of the project; `INTEROP_CLI` names another build to test, such
 * as that of an installed package.
 */
export function packstoneCommand(): string {
  return resolvePath(process.env['INTEROP_CLI'] ?? 'dist/cli.js')
}

/** A server in a process of its own. */
export interface PackstoneServer extends GitServer {
  readonly pid: number
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<string>
}

/** Starts the built command as a user does: `packstone serve --bare <directory> --port 0`. */
export function startPackstone(directory: string, options: PackstoneOptions = {}): Promise<PackstoneServer> {
  return startServe(['--bare', directory, ...(options.args ?? [])], options.nodeArgs)
}

/**
 * Starts `packstone serve --port 0` with these arguments. No git on its PATH.
 *
 * @param environment what else is in its environment.
 */
export async function startServe(
  args: readonly string[],
  nodeArgs: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<PackstoneServer> {
  const child = spawn(process.execPath, [...nodeArgs, packstoneCommand(), 'serve', '--port', '0', ...args], {
    env: { PATH: '/nowhere', HOME: '/nowhere', TZ: 'UTC', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString('latin1')
  })
  const closed = new Promise<string>((resolve) => {
    child.once('close', (code, signal) => {
      resolve(signal ?? String(code))
    })
  })
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`packstone serve did not say where it listens within ${START_MS} ms:\n${out}${log}`))
    }, START_MS)
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString('latin1')
      const found = /listening on (http:\/\/\S+)/.exec(out)?.[1]
      if (found === undefined) return
      clearTimeout(timer)
      resolve(found.replace(/\/$/, ''))
    })
    child.once('error', reject)
    void closed.then((how) => {
      clearTimeout(timer)
      reject(new Error(`packstone serve ended (${how}) before it listened:\n${out}${log}`))
    })
  })
  return {
    name: 'packstone',
    url,
    pid: child.pid ?? 0,
    ended: closed,
    readLog: () => log,
    close: async () => {
      child.kill('SIGTERM')
      const how = await closed
      if (how !== '0') throw new Error(`packstone serve ended with ${how}, not cleanly:\n${log.slice(-4000)}`)
    },
  }
}
