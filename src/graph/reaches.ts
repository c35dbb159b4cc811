import type { ObjectId } from '../object/object-id.ts'
import type { ObjectSource } from './object-source.ts'
import { CommitQueue } from './commit-queue.ts'
import { CommitTable } from './commit-table.ts'
import { walkToCommon } from './common-ancestors.ts'

/** The commits by which {@link allReach} recognises that it has arrived, by ordinal of a table. */
export interface ReachGoals {
  /** True for a goal. */
  readonly isGoal: readonly (boolean | undefined)[]
  /** No goal needs to be looked for behind commits that are older than this, in seconds. */
  readonly oldest: number
}

/**
 * Tells whether every start reaches a goal through parents, itself included. Every commit is looked at once at most, and none
 * behind the oldest goal.
 *
 * This is how a server knows that a client's haves suffice (`ready`).
 *
 * @param starts ordinals of the table, loaded
 */
export async function allReach(
  table: CommitTable,
  starts: readonly number[],
  goals: ReachGoals,
): Promise<boolean> {
  /** By commit: whether it leads to a goal; as long as it is on the path, no. */
  const leads: (boolean | undefined)[] = []
  const isArrival = (commit: number): boolean => goals.isGoal[commit] === true || leads[commit] === true
  for (const start of starts) {
    if (isArrival(start)) continue
    if (leads[start] === false) return false
    leads[start] = false
    const path = [start]
    /** By place on the path: the parent to look at next. */
    const next = [0]
    let found = false
    while (path.length > 0 && !found) {
      const commit = path[path.length - 1]!
      const parent = table.parents(commit)[next[next.length - 1]!++]
      if (parent === undefined) {
        path.pop()
        next.pop()
      } else if (isArrival(parent)) {
        found = true
      } else if (leads[parent] === undefined) {
        leads[parent] = false
        while (!table.tryLoad(parent, commit)) await table.reader.settle()
        if (table.time(parent) < goals.oldest) continue
        path.push(parent)
        next.push(0)
      }
    }
    if (!found) return false
    for (const commit of path) leads[commit] = true
  }
  return true
}

/**
 * Tells which of some commits others reach through parents, themselves included. Latest first, so that little more is looked at
 * than lies between them; everything, where one is not reached.
 *
 * @param starts ordinals of the table, loaded
 * @param sought ordinals of the table
 */
export async function findReached(
  table: CommitTable,
  starts: readonly number[],
  sought: readonly number[],
): Promise<ReadonlySet<number>> {
  const missing = new Set(sought)
  const reached = new Set<number>()
  const queue = new CommitQueue(table)
  const seen = new Set(starts)
  for (const start of seen) queue.push(start)
  while (queue.size > 0 && missing.size > 0) {
    const commit = queue.pop()
    if (missing.delete(commit)) reached.add(commit)
    for (const parent of table.parents(commit)) {
      if (seen.has(parent)) continue
      while (!table.tryLoad(parent, commit)) await table.reader.settle()
      seen.add(parent)
      queue.push(parent)
    }
  }
  return reached
}

/**
 * Tells whether `ancestor` is reachable from `descendant` through parents, itself included: the fast-forward test. Little more is looked at
 * than lies between them, also where the answer is no.
 *
 * @throws GitError `MISSING_OBJECT`, `CORRUPT_OBJECT` when one of them is no commit.
 */
export async function isAncestor(
  reader: ObjectSource,
  ancestor: Uint8Array,
  descendant: Uint8Array,
  shallow: ReadonlySet<ObjectId> = new Set(),
): Promise<boolean> {
  const table = new CommitTable(reader, shallow)
  const goal = table.add(ancestor)
  const start = table.add(descendant)
  await table.load([goal, start])
  return (await walkToCommon(table, goal, start)).leftIsAncestor
}
