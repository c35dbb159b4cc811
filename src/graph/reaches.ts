import type { ObjectId } from '../object/object-id.ts'
import type { ObjectSource } from './object-source.ts'
import { CommitQueue } from './commit-queue.ts'
import { CommitTable } from './commit-table.ts'
import { peelToCommits } from './peel.ts'

/**
 * Tells whether every commit of `from` reaches at least one of `targets` through parents.
 *
 * This is how a server knows that a client's haves suffice (`ready`). Ids are raw; tags are followed; what names no
 * commit counts as reaching. History older than the oldest target is not looked at.
 */
export async function allReachAny(
  reader: ObjectSource,
  from: readonly Uint8Array[],
  targets: readonly Uint8Array[],
  shallow: ReadonlySet<ObjectId> = new Set(),
): Promise<boolean> {
  const table = new CommitTable(reader, shallow)
  const goals = (await peelToCommits(reader, targets)).map((id) => table.add(id))
  await table.load(goals)
  const oldest = goals.reduce((time, goal) => Math.min(time, table.time(goal)), Infinity)
  const isGoal = new Set(goals)
  const starts = (await peelToCommits(reader, from)).map((id) => table.add(id))
  await table.load(starts)

  for (const start of starts) {
    const seen = new Set<number>([start])
    const stack = [start]
    let found = false
    for (let commit = stack.pop(); commit !== undefined; commit = stack.pop()) {
      if (isGoal.has(commit)) {
        found = true
        break
      }
      const parents = table.parents(commit)
      for (const parent of parents) while (!table.tryLoad(parent, commit)) await reader.settle()
      // Last pushed is looked at first: the first parent, along the mainline.
      for (let k = parents.length - 1; k >= 0; k--) {
        const parent = parents[k]!
        if (seen.has(parent) || table.time(parent) < oldest) continue
        seen.add(parent)
        stack.push(parent)
      }
    }
    if (!found) return false
    isGoal.add(start)
  }
  return true
}

/**
 * Tells whether `ancestor` is reachable from `descendant` through parents, itself included: the fast-forward test.
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
  const queue = new CommitQueue(table)
  const seen = new Set([start])
  queue.push(start)
  while (queue.size > 0) {
    const commit = queue.pop()
    if (commit === goal) return true
    for (const parent of table.parents(commit)) {
      if (seen.has(parent)) continue
      while (!table.tryLoad(parent, commit)) await reader.settle()
      seen.add(parent)
      queue.push(parent)
    }
  }
  return false
}
