import { isGitError } from '../../errors.ts'
import { CommitTable } from '../../graph/commit-table.ts'
import { walkCommits } from '../../graph/walk-commits.ts'
import { parseObjectId } from '../../object/object-id.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import type { CommitFacts } from '../../repository/read/commit-facts.ts'
import { readCommits, readLog } from '../../repository/read/read-log.ts'
import type { StoredPush } from './hub-event.ts'

/** Most commits in one event. */
const MAX_COMMITS = 20
/** Longer messages are cut. */
const MAX_MESSAGE = 4096
const ZERO_ID = /^0+$/

/**
 * Which commits an event of a push lists. `first-parent`, as Cloudflare Artifacts: the chain of first parents back to the old value, and
 * no further counted than 21. `new`: all that the old value does not reach, all of them counted.
 */
export type PushedCommits = 'first-parent' | 'new'

interface Listed {
  readonly commits: readonly CommitFacts[]
  readonly total: number
}

/**
 * Reads the payload of a push. Where commits are not there any more, or the ref is no branch, it lists none.
 *
 * @param view `undefined` for a repository that is gone.
 */
export async function readPushPayload(
  view: ObjectView | undefined,
  push: StoredPush,
  mode: PushedCommits,
): Promise<Readonly<Record<string, unknown>>> {
  const { ref, before, after } = push
  const isBranch = ref.startsWith('refs/heads/') && !ZERO_ID.test(after)
  const { commits, total } =
    isBranch && view !== undefined ? await listPresent(view, push, mode) : { commits: [], total: 0 }
  return {
    ref,
    before,
    after,
    commits: commits.slice(0, MAX_COMMITS).map(wordCommit),
    totalCommitsCount: total,
    commitsTruncated: total > MAX_COMMITS,
  }
}

async function listPresent(view: ObjectView, push: StoredPush, mode: PushedCommits): Promise<Listed> {
  try {
    return await (mode === 'new' ? listNew(view, push) : listFirstParents(view, push))
  } catch (error) {
    // The branch moved on, and maintenance has removed what it was.
    if (isGitError(error, 'MISSING_OBJECT')) return { commits: [], total: 0 }
    throw error
  }
}

async function listFirstParents(view: ObjectView, { before, after }: StoredPush): Promise<Listed> {
  const commits = await readLog(view, after, { limit: MAX_COMMITS + 1, until: before })
  return { commits, total: commits.length }
}

async function listNew(view: ObjectView, { before, after }: StoredPush): Promise<Listed> {
  const table = new CommitTable(view)
  const add = (id: string): number => table.add(parseObjectId(id, view.format))
  const range = await walkCommits(table, [add(after)], ZERO_ID.test(before) ? [] : [add(before)])
  const newest = range.commits.slice(0, MAX_COMMITS).map((commit) => table.ids.id(commit))
  return { commits: await readCommits(view, newest), total: range.commits.length }
}

function wordCommit(commit: CommitFacts): Readonly<Record<string, unknown>> {
  const { id, message, committedAt, author, committer, parents } = commit
  return {
    id,
    message: message.slice(0, MAX_MESSAGE),
    messageTruncated: message.length > MAX_MESSAGE,
    timestamp: new Date(clampTime(committedAt) * 1000).toISOString(),
    author,
    committer,
    parents,
  }
}

/** Seconds that a `Date` can hold. */
function clampTime(seconds: number): number {
  return Math.max(-8.64e12, Math.min(8.64e12, seconds))
}
