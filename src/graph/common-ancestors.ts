import { CommitQueue } from './commit-queue.ts'
import type { CommitTable } from './commit-table.ts'

const FROM_LEFT = 1
const FROM_RIGHT = 2
const COMMON = FROM_LEFT | FROM_RIGHT
/** Reached from a common ancestor: common itself, and never the best. */
const STALE = 4

/** What {@link walkToCommon} found. */
export interface CommonAncestors {
  /** Common ancestors that were found to be reached from no other one. The best are among them. */
  readonly candidates: readonly number[]
  /** Whether the left commit is an ancestor of the right one, or the right one itself. */
  readonly leftIsAncestor: boolean
}

/**
 * Walks two histories, latest first, until what is left is known to lie behind a common ancestor, or until the left commit turns out to
 * be an ancestor of the right one. A commit whose marks grow is walked again, so that dates which run backwards do no harm.
 *
 * Little more is looked at than what one side has and the other has not.
 *
 * @param left ordinals of the table, loaded
 */
export async function walkToCommon(
  table: CommitTable,
  left: number,
  right: number,
): Promise<CommonAncestors> {
  if (left === right) return { candidates: [left], leftIsAncestor: true }
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
    // No way from the right one to the left one leads over what is behind the left one, so none is ever left out as stale.
    if ((marks[left]! & FROM_RIGHT) !== 0) return { candidates: [left], leftIsAncestor: true }
  }
  const candidates = [...common].filter((commit) => (marks[commit]! & STALE) === 0)
  return { candidates, leftIsAncestor: false }
}
