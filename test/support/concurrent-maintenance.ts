import { setTimeout as sleep } from 'node:timers/promises'
import { git, tryGit } from './git.ts'
import { createHistory } from './histories.ts'
import type { Scratch, Served } from './hooks.ts'
import { allowPush, findFaults, listLeftovers, readContents } from './repositories.ts'
import { cloneWorkTree } from './work-tree.ts'

/** What came of it. */
export interface ConcurrencyReport {
  /** Every command that failed, with what it said. */
  readonly failures: readonly string[]
  /** What is wrong afterwards, as git sees it. */
  readonly faults: readonly string[]
}

const MAINTENANCE: readonly (readonly string[])[] = [
  ['gc', '--quiet'],
  ['pack-refs', '--all'],
  ['repack', '-adq'],
  ['commit-graph', 'write', '--reachable'],
  ['repack', '-Adq', '--unpack-unreachable=1.hour.ago'],
  ['pack-refs', '--all', '--prune'],
  ['repack', '-dq'],
  ['-c', 'repack.writeBitmaps=true', 'repack', '-adbq'],
]

const PATH_PUSH = 'push over a path'

/** What is done beside each other, each of it more than once however slow the machine is. */
const KINDS = ['maintenance', 'push', PATH_PUSH, 'clone', 'fetch'] as const

/** Maintains the repository once more; tells what went wrong. */
export type MaintainBeside = (repository: string, round: number) => Promise<string | undefined>

/**
 * Runs git's maintenance and git's own pushes on a bare repository, over and over, while clones, fetches and pushes go
 * through the server that serves it; then checks that nothing failed and nothing was lost.
 *
 * @param seconds how long, at least: it goes on until each kind of thing was done twice.
 * @param maintainBeside maintains the repository too, at the same time. Git's own maintenance may then fail, as it may beside another of
 * git's that removes the packs it is about to read.
 */
export async function runConcurrentMaintenance(
  server: Served,
  scratch: Scratch,
  seconds: number,
  maintainBeside?: MaintainBeside,
): Promise<ConcurrencyReport> {
  const name = 'busy.git'
  const served = await createHistory('source-like', server.path(name), { scale: 0.5 })
  await allowPush(served)
  // Whoever has a lock may have to wait for the machine; nobody is refused for that.
  for (const lock of ['filesRefLockTimeout', 'packedRefsTimeout'])
    await git(['config', `core.${lock}`, '60000'], { cwd: served })
  const url = server.url(name)
  const end = Date.now() + seconds * 1000
  const failures: string[] = []
  const counts: Record<string, number> = {}
  const attempt = async (kind: string, args: readonly string[], cwd?: string): Promise<boolean> => {
    let result = await tryGit(args, cwd === undefined ? {} : { cwd })
    // A push of git's own loses to git's own maintenance when that removes an empty directory at the wrong moment.
    for (
      let again = 0;
      again < 5 && kind === PATH_PUSH && result.stderr.includes('unable to migrate objects');
      again++
    ) {
      result = await tryGit(args, cwd === undefined ? {} : { cwd })
    }
    counts[kind] = (counts[kind] ?? 0) + 1
    if (result.code !== 0) {
      const log = server.readLog().split('\n').slice(-12).join('\n')
      failures.push(
        `${kind}: git ${args.join(' ')} ended with ${result.code}: ${result.stderr}\nserver: ${log}`,
      )
    }
    return result.code === 0
  }
  const isOver = (): boolean => Date.now() >= end && KINDS.every((kind) => (counts[kind] ?? 0) > 1)
  const repeat = async (step: (round: number) => Promise<void>): Promise<void> => {
    for (let round = 0; !isOver(); round++) {
      await step(round)
      await sleep(5)
    }
  }

  const tips = new Map<string, string>()
  const pushing = async (kind: string, remote: string, branch: string, minutes: number): Promise<void> => {
    const work = await cloneWorkTree(served, scratch.fresh(branch), [], minutes)
    await repeat(async (round) => {
      const id = await work.commit(`${branch}-${round % 5}`, `${branch} ${round}\n`)
      if (await attempt(kind, ['push', '--quiet', remote, `HEAD:refs/heads/${branch}`], work.path))
        tips.set(branch, id)
      // Branches that come and go, so that refs are deleted while they are packed.
      const passing = `refs/heads/passing/${branch}`
      if (round % 4 === 1) await attempt(kind, ['push', '--quiet', remote, `HEAD:${passing}`], work.path)
      if (round % 4 === 3) await attempt(kind, ['push', '--quiet', remote, `:${passing}`], work.path)
    })
  }
  const fetched = scratch.fresh('fetched')
  await git(['clone', '--quiet', '--mirror', url, fetched])

  await Promise.all([
    repeat(async (round) => {
      const command = MAINTENANCE[round % MAINTENANCE.length] ?? []
      if (maintainBeside === undefined) await attempt('maintenance', command, served)
      else await tryGit(command, { cwd: served })
    }),
    repeat(async (round) => {
      if (maintainBeside === undefined) return
      const failure = await maintainBeside(served, round)
      counts['maintenance'] = (counts['maintenance'] ?? 0) + 1
      if (failure !== undefined) failures.push(`maintenance: ${failure}`)
    }),
    pushing(PATH_PUSH, served, 'local', 1_000),
    pushing('push', url, 'one', 2_000),
    pushing('push', url, 'two', 3_000),
    repeat(async () => {
      const clone = scratch.fresh('clone')
      await attempt('clone', ['clone', '--quiet', '--mirror', url, clone])
    }),
    repeat(async () => {
      await attempt('fetch', ['fetch', '--quiet', '--prune'], fetched)
    }),
  ])

  // A repack of git's that began before a multi-pack-index was written leaves it, though packs are gone: the next maintenance takes it away.
  const failure = await maintainBeside?.(served, 0)
  if (failure !== undefined) failures.push(`last maintenance: ${failure}`)
  const faults = [
    ...(await findFaults(served)),
    ...(await findFaults(fetched)),
    ...(await listLeftovers(served)),
  ]
  for (const [branch, id] of tips) {
    const found = await git(['rev-parse', `refs/heads/${branch}`], { cwd: served })
    if (found !== id) faults.push(`${branch} is ${found}, but ${id} was pushed last`)
  }
  const last = scratch.fresh('last')
  await git(['clone', '--quiet', '--mirror', url, last])
  if (JSON.stringify(await readContents(last)) !== JSON.stringify(await readContents(served))) {
    faults.push('a clone afterwards differs from what is served')
  }
  return { failures, faults }
}
