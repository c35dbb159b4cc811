import { CommitQueue } from '../../graph/commit-queue.ts'
import { CommitTable } from '../../graph/commit-table.ts'
import { findReached } from '../../graph/reaches.ts'
import { parseObjectId, type ObjectId } from '../../object/object-id.ts'
import type { ObjectView } from '../../odb/object-view.ts'

const FROM_LEFT = 1
const FROM_RIGHT = 2
const COMMON = FROM_LEFT | FROM_RIGHT
/** Reached from a common ancestor: common itself, and never the best. */
const STALE = 4

/**
 * The best common ancestors of two commits, those that no other common ancestor descends from: none, one, or several after criss-cross
 * merges. Latest first.
 *
 * @throws GitError `MISSING_OBJECT`, `CORRUPT_OBJECT` for what is no commit.
 */
export async function findMergeBases(
  view: ObjectView,
  left: ObjectId,
  right: ObjectId,
): Promise<readonly ObjectId[]> {
  const table = new CommitTable(view)
  const starts = [left, right].map((id) => table.add(parseObjectId(id, view.format)))
  await table.load(starts)
  if (left === right) return [left]
  const candidates = await paintCommon(table, starts[0]!, starts[1]!)
  const best = candidates.length < 2 ? candidates : await dropReached(table, candidates)
  best.sort((one, other) => table.time(other) - table.time(one))
  return best.map((commit) => table.hexId(commit))
}

/**
 * Walks both histories, latest first, until what is left is known to lie behind a common ancestor. A commit whose marks grow is walked
 * again, so that dates which run backwards do no harm.
 */
async function paintCommon(table: CommitTable, left: number, right: number): Promise<number[]> {
  const marks: number[] = []
  const queued: boolean[] = []
  const queue = new CommitQueue(table)
  /** How many of the queued are not stale. */
  let fresh = 0
  const mark = (commit: number, added: number): void => {
    const before = marks[commit] ?? 0
    const after = before | added
    if (after === before) return
    marks[commit] = after
    if (queued[commit] === true) {
      if ((before & STALE) === 0 && (after & STALE) !== 0) fresh--
      return
    }
    queued[commit] = true
    if ((after & STALE) === 0) fresh++
    queue.push(commit)
  }
  mark(left, FROM_LEFT)
  mark(right, FROM_RIGHT)
  const common = new Set<number>()
  while (queue.size > 0 && fresh > 0) {
    const commit = queue.pop()
    queued[commit] = false
    const own = marks[commit]!
    if ((own & STALE) === 0) fresh--
    const isCommon = (own & COMMON) === COMMON
    if (isCommon) common.add(commit)
    for (const parent of table.parents(commit)) {
      while (!table.tryLoad(parent, commit)) await table.reader.settle()
      mark(parent, isCommon ? COMMON | STALE : own)
    }
  }
  return [...common].filter((commit) => (marks[commit]! & STALE) === 0)
}

/** Those commits that none of the others reaches. */
async function dropReached(table: CommitTable, commits: readonly number[]): Promise<number[]> {
  const best: number[] = []
  for (const commit of commits) {
    const others = commits.filter((other) => other !== commit)
    const reached = await findReached(table, others, [commit])
    if (!reached.has(commit)) best.push(commit)
  }
  return best
}
