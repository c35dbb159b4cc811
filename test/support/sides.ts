import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { git, tryGit, type GitResult } from './git.ts'
import { useServer, type Scratch, type Served } from './hooks.ts'
import { listObjects, readRefLines } from './repositories.ts'

/** What a client has after some commands. */
export interface ClientState {
  readonly refs: readonly string[]
  /** Where its history ends. */
  readonly shallow: readonly string[]
  /** Everything its refs reach that it has. */
  readonly present: readonly string[]
  /** What its refs reach, as far as it knows, and it has not. */
  readonly missing: readonly string[]
}

/** What came of commands against one server. */
export interface SideResult {
  readonly path: string
  readonly state: ClientState
  /** By step: what git did. */
  readonly results: readonly GitResult[]
  /** The packets of all steps, as `GIT_TRACE_PACKET` has them. */
  readonly trace: string
}

/** Both servers: ours and git's own, with the same repositories. */
export interface Sides {
  readonly ours: Served
  readonly gits: Served
  /** Puts a copy of a repository on both servers, with settings. */
  serve(name: string, source: string, config?: Readonly<Record<string, string>>): Promise<void>
  /**
   * Runs the same commands against both servers, each in a repository of its own that the first step makes. `URL` stands for the
   * address of the served repository, `PATH` for the client's. Steps may fail.
   */
  run(
    name: string,
    steps: readonly (readonly string[])[],
    input?: string,
  ): Promise<{ readonly ours: SideResult; readonly gits: SideResult }>
}

/** Starts both servers for a test file. Call it at the top of the file. */
export function useSides(scratch: Scratch): Sides {
  const ours = useServer(scratch)
  const gits = useServer(scratch, 'git')
  const runOn = async (
    side: Served,
    name: string,
    steps: readonly (readonly string[])[],
    input: string | undefined,
  ): Promise<SideResult> => {
    const path = scratch.fresh('client')
    const results: GitResult[] = []
    let trace = ''
    for (const [at, step] of steps.entries()) {
      const args = step.map((word) => word.replace('URL', side.url(name)).replace('PATH', path))
      const file = scratch.fresh('trace')
      const result = await tryGit(args, {
        ...(at === 0 ? {} : { cwd: path }),
        ...(input === undefined ? {} : { input }),
        env: { GIT_TRACE_PACKET: file },
      })
      results.push(result)
      trace += await readFile(file, 'latin1').catch(() => '')
    }
    return { path, results, trace, state: await readState(path) }
  }
  return {
    ours,
    gits,
    serve: async (name, source, config = {}) => {
      for (const side of [ours, gits]) {
        await cp(source, side.path(name), { recursive: true })
        for (const [key, value] of Object.entries(config))
          await git(['config', '--add', key, value], { cwd: side.path(name) })
      }
    },
    run: async (name, steps, input) => ({
      ours: await runOn(ours, name, steps, input),
      gits: await runOn(gits, name, steps, input),
    }),
  }
}

async function readState(path: string): Promise<ClientState> {
  const directory = await tryGit(['-C', path, 'rev-parse', '--absolute-git-dir'])
  if (directory.code !== 0) return { refs: [], shallow: [], present: [], missing: [] }
  const shallow = await readFile(join(directory.stdout.toString().trim(), 'shallow'), 'utf8').catch(() => '')
  // Git does not walk a history in which commits are missing. What is there at all is then compared by other means.
  const walk = await tryGit(['rev-list', '--objects', '--no-object-names', '--missing=print', '--all'], {
    cwd: path,
  })
  const lines = walk.code === 0 ? walk.stdout.toString().split('\n').filter(Boolean) : []
  return {
    refs: await readRefLines(path),
    shallow: shallow.split('\n').filter(Boolean).sort(),
    present: [...new Set(lines.filter((line) => !line.startsWith('?')))].sort(),
    missing: [...new Set(lines.filter((line) => line.startsWith('?')))].sort(),
  }
}

/** Everything two clients have, reached or not: equal after a clone, while later fetches may bring bases of deltas along. */
export async function listBoth(sides: {
  readonly ours: SideResult
  readonly gits: SideResult
}): Promise<readonly [string[], string[]]> {
  return [await listObjects(sides.ours.path), await listObjects(sides.gits.path)]
}
