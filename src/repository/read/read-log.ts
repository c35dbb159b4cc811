import { GitError } from '../../errors.ts'
import { CommitTable } from '../../graph/commit-table.ts'
import { encodeObjectId, parseObjectId, type ObjectId } from '../../object/object-id.ts'
import { COMMIT } from '../../object/object-type.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import { parseCommitFacts, type CommitFacts } from './commit-facts.ts'

export interface ReadLogOptions {
  /** Most commits to return. */
  readonly limit: number
  /** How many to leave out at the beginning. Default 0. */
  readonly offset?: number
  /** Ends the walk before this commit. */
  readonly until?: ObjectId
}

/** Reads the chain of first parents, newest first. It ends at a root and at the repository's shallow boundary. */
export async function readLog(
  view: ObjectView,
  start: ObjectId,
  options: ReadLogOptions,
): Promise<readonly CommitFacts[]> {
  const { limit, offset = 0, until } = options
  const table = new CommitTable(view)
  const chosen: Uint8Array[] = []
  let current: number | undefined = table.add(parseObjectId(start, view.format))
  let previous: number | undefined
  for (let count = 0; current !== undefined && count < offset + limit; count++) {
    while (!table.tryLoad(current, previous)) await view.settle()
    if (table.hexId(current) === until) break
    if (count >= offset) chosen.push(table.ids.id(current))
    previous = current
    current = table.parents(current)[0]
  }
  return readCommits(view, chosen)
}

/**
 * Reads commits, in their order; what is not resident is fetched together.
 *
 * @throws GitError `MISSING_OBJECT`, `CORRUPT_OBJECT`
 */
export async function readCommits(
  view: ObjectView,
  ids: readonly Uint8Array[],
): Promise<readonly CommitFacts[]> {
  const facts: CommitFacts[] = []
  while (facts.length < ids.length) {
    const before = facts.length
    for (let at = before; at < ids.length; at++) {
      const object = view.tryRead(ids[at]!)
      // What comes behind a miss is only asked for, so that one settling brings all of it.
      if (object === undefined || at > facts.length) continue
      const id = encodeObjectId(ids[at]!, 0, view.format)
      if (object?.type !== COMMIT) {
        const code = object === null ? 'MISSING_OBJECT' : 'CORRUPT_OBJECT'
        throw new GitError(code, `object ${id} is ${object === null ? 'missing' : 'no commit'}`, {
          details: { id },
        })
      }
      facts.push(parseCommitFacts(id, object.body, view.format))
    }
    if (facts.length < ids.length) await view.settle()
  }
  return facts
}
