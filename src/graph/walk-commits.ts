import { CommitQueue } from './commit-queue.ts'
import type { CommitTable } from './commit-table.ts'

const SEEN = 1
const UNINTERESTING = 2
const QUEUED = 4

/**
 * How many commits the walk goes on after everything left in the queue is uninteresting, because a commit with a wrong date
 * may hide a path to an interesting one. Git uses the same number.
 */
const SLOP = 5

/** Commits reachable from some and not from others. */
export interface CommitRange {
  /** Ordinals of the commits in the range, by date, latest first. */
  readonly commits: readonly number[]
  /** Ordinals of the commits just outside: excluded parents of commits in the range. */
  readonly boundary: readonly number[]
}

export interface WalkCommitsOptions {
  /** Commits older than this (seconds) are excluded together with what they reach. */
  readonly since?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Finds the commits reachable from `include` but not from `exclude`.
 *
 * Exact when dates never run backwards from parent to child; with wrong dates it may return commits that `exclude` reaches,
 * never the other way round. Commits that are missing on the excluded side do not matter.
 *
 * @throws GitError `MISSING_OBJECT`, `CORRUPT_OBJECT`; the signal's reason when aborted
 */
export async function walkCommits(
  table: CommitTable,
  include: readonly number[],
  exclude: readonly number[],
  options: WalkCommitsOptions = {},
): Promise<CommitRange> {
  const { since, signal } = options
  const flags: number[] = []
  const queue = new CommitQueue(table)
  let interestingQueued = 0

  const markUninteresting = (commit: number): void => {
    const flag = flags[commit] ?? 0
    if (flag & UNINTERESTING) return
    flags[commit] = flag | UNINTERESTING
    if (flag & QUEUED) interestingQueued--
  }
  const enqueue = (commit: number): void => {
    const flag = flags[commit] ?? 0
    if (flag & SEEN) return
    flags[commit] = flag | SEEN | QUEUED
    if ((flag & UNINTERESTING) === 0) interestingQueued++
    queue.push(commit)
  }
  /** Marks what an excluded commit reaches among the commits that were met before. */
  const markReached = (from: number): void => {
    const stack = [from]
    for (let commit = stack.pop(); commit !== undefined; commit = stack.pop()) {
      if (!table.isLoaded(commit)) continue
      for (const parent of table.parents(commit)) {
        if ((flags[parent] ?? 0) & UNINTERESTING) continue
        markUninteresting(parent)
        stack.push(parent)
      }
    }
  }

  for (const commit of exclude) markUninteresting(commit)
  await table.load([...include, ...exclude])
  for (const commit of exclude) enqueue(commit)
  for (const commit of include) enqueue(commit)

  const met: number[] = []
  let lastTime = Infinity
  let slop = SLOP
  while (queue.size > 0) {
    const commit = queue.pop()
    let flag = flags[commit]! & ~QUEUED
    flags[commit] = flag
    if ((flag & UNINTERESTING) === 0) interestingQueued--
    if (since !== undefined && table.time(commit) < since) markUninteresting(commit)
    flag = flags[commit]!
    if (flag & UNINTERESTING) markReached(commit)
    const parents = table.parents(commit)
    for (const parent of parents) {
      while (!table.tryLoad(parent, commit, (flag & UNINTERESTING) !== 0)) {
        signal?.throwIfAborted()
        await table.reader.settle()
      }
      enqueue(parent)
    }
    if ((flag & UNINTERESTING) === 0) {
      met.push(commit)
      lastTime = table.time(commit)
      continue
    }
    if (queue.size === 0) break
    if (interestingQueued > 0 || lastTime <= table.time(queue.peek())) slop = SLOP
    else if (--slop === 0) break
  }

  const commits = met.filter((commit) => (flags[commit]! & UNINTERESTING) === 0)
  const boundary = new Set<number>()
  for (const commit of commits) {
    for (const parent of table.parents(commit)) {
      if ((flags[parent] ?? 0) & UNINTERESTING) boundary.add(parent)
    }
  }
  return { commits, boundary: [...boundary] }
}
