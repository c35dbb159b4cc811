import { spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

/** Git's names for the programs that a repository can have. */
export type HookName =
  'pre-receive' | 'update' | 'proc-receive' | 'reference-transaction' | 'post-receive' | 'post-update'

/** Where hook programs are, and what they are run with. */
export interface HookPlace {
  /** The directory of the repository, where programs are run. */
  readonly gitDirectory: string
  /** The directory of the programs. */
  readonly hooksDirectory: string
  /** Variables for every program. */
  readonly env: Readonly<Record<string, string>>
}

export interface HookRun {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Written to the program's standard input. */
  readonly input?: string
  /** Is given what the program says on its standard error, and on its output where `converse` does not read it. */
  readonly say: (text: string) => void
  /** Talks with the program over its standard input and output. */
  readonly converse?: (input: Writable, output: Readable) => Promise<void>
  /** Kills the program. */
  readonly signal?: AbortSignal | undefined
}

/** The path of a hook; `undefined` when there is none, or a file that is not executable: git ignores these. */
export async function findHook(place: HookPlace, name: HookName): Promise<string | undefined> {
  const path = join(place.hooksDirectory, name)
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile() ? path : undefined
  } catch {
    return undefined
  }
}

/**
 * Runs a hook as git does: in the repository's directory, with `GIT_DIR` set and no other variable of git inherited.
 *
 * @returns whether it ended with 0, and true where there is no such hook.
 */
export async function runHook(place: HookPlace, name: HookName, run: HookRun): Promise<boolean> {
  const path = await findHook(place, name)
  if (path === undefined) return true
  const child = spawn(path, run.args ?? [], {
    cwd: place.gitDirectory,
    env: { ...inheritedVariables(), GIT_DIR: '.', ...place.env, ...run.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(run.signal === undefined ? {} : { signal: run.signal }),
  })
  const ended = new Promise<boolean>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      resolve(code === 0)
    })
  })
  // A program need not read what it is given.
  child.stdin.on('error', () => undefined)
  const relay = (stream: Readable): void => {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      run.say(text)
    })
  }
  relay(child.stderr)
  if (run.converse === undefined) {
    relay(child.stdout)
    child.stdin.end(run.input ?? '')
    return ended
  }
  const [conversed, hasSucceeded] = await Promise.allSettled([
    run.converse(child.stdin, child.stdout).finally(() => child.stdin.end()),
    ended,
  ])
  if (hasSucceeded.status === 'rejected') throw hasSucceeded.reason
  if (hasSucceeded.value && conversed.status === 'rejected') throw conversed.reason
  return hasSucceeded.value
}

/** Our own environment without what git is told by variables: it would send programs to another repository. */
function inheritedVariables(): Record<string, string> {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !name.startsWith('GIT_')) env[name] = value
  }
  return env
}
