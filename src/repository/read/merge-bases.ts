import { CommitTable } from '../../graph/commit-table.ts'
import { walkToCommon } from '../../graph/common-ancestors.ts'
import { findReached } from '../../graph/reaches.ts'
import { parseObjectId, type ObjectId } from '../../object/object-id.ts'
import type { ObjectView } from '../../odb/object-view.ts'

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
  const { candidates } = await walkToCommon(table, starts[0]!, starts[1]!)
  const best = candidates.length < 2 ? [...candidates] : await dropReached(table, candidates)
  best.sort((one, other) => table.time(other) - table.time(one))
  return best.map((commit) => table.hexId(commit))
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
