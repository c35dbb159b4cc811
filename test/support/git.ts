import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface GitOptions {
  readonly cwd?: string
  /** Written to git's standard input. */
  readonly input?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  /** Kills git after this long, so that a server that hangs fails the test that asked. In milliseconds. */
  readonly timeout?: number
}

export interface GitResult {
  readonly code: number
  readonly stdout: Buffer
  readonly stderr: string
}

/** The moment at which everything in a test happens unless it says otherwise: seconds since the epoch. */
export const TEST_TIME = 1_600_000_000

/** Settings that keep git from doing work behind a test's back, and from refusing what tests need. */
const CONFIG: readonly (readonly [string, string])[] = [
  ['init.defaultBranch', 'main'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['protocol.file.allow', 'always'],
  ['advice.detachedHead', 'false'],
]

/** A home directory with nothing in it: nobody creates it. */
const HOME = join(tmpdir(), 'packstone-tests-have-no-home')

/** An environment in which git sees nothing of this machine: no user or system config, a fixed identity, fixed dates. */
export function gitEnvironment(): Record<string, string> {
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    HOME,
    XDG_CONFIG_HOME: HOME,
    LC_ALL: 'C',
    TZ: 'UTC',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'A U Thor',
    GIT_AUTHOR_EMAIL: 'author@example.com',
    GIT_AUTHOR_DATE: `${TEST_TIME} +0000`,
    GIT_COMMITTER_NAME: 'C O Mitter',
    GIT_COMMITTER_EMAIL: 'committer@example.com',
    GIT_COMMITTER_DATE: `${TEST_TIME} +0000`,
    GIT_CONFIG_COUNT: String(CONFIG.length),
  }
  CONFIG.forEach(([key, value], at) => {
    env[`GIT_CONFIG_KEY_${at}`] = key
    env[`GIT_CONFIG_VALUE_${at}`] = value
  })
  return env
}

/** Runs git and resolves with whatever came out, also when it failed. */
export function tryGit(args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
  const { cwd, input, env = {}, timeout = 240_000 } = options
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, { cwd, env: { ...gitEnvironment(), ...env } })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, timeout)
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    // A git that fails early closes its input; its exit code tells, the broken pipe does not matter.
    child.stdin.on('error', () => undefined)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      const text = Buffer.concat(stderr).toString('latin1')
      const reason = timedOut ? `killed after ${timeout} ms` : signal === null ? '' : `killed by ${signal}`
      resolve({
        code: code ?? 255,
        stdout: Buffer.concat(stdout),
        stderr: reason === '' ? text : `${text}${reason}\n`,
      })
    })
    child.stdin.end(input)
  })
}

/** Runs git, which must succeed; resolves with its standard output. */
export async function gitBytes(args: readonly string[], options: GitOptions = {}): Promise<Buffer> {
  const result = await tryGit(args, options)
  if (result.code === 0) return result.stdout
  throw new Error(
    `git ${args.join(' ')} ended with ${result.code}:\n${result.stderr}${result.stdout.toString('latin1').slice(0, 2000)}`,
  )
}

/** Runs git, which must succeed; resolves with its standard output as text, without the last line break. */
export async function git(args: readonly string[], options: GitOptions = {}): Promise<string> {
  return (await gitBytes(args, options)).toString().replace(/\n$/, '')
}

/** Runs git, which must fail; resolves with what it wrote to standard error. */
export async function gitFails(args: readonly string[], options: GitOptions = {}): Promise<string> {
  const result = await tryGit(args, options)
  if (result.code !== 0) return result.stderr
  throw new Error(`git ${args.join(' ')} succeeded but must fail:\n${result.stderr}`)
}

/** The lines of git's output; none for empty output. */
export async function gitLines(args: readonly string[], options: GitOptions = {}): Promise<string[]> {
  const text = await git(args, options)
  return text === '' ? [] : text.split('\n')
}
