import type { CommitFacts, Person } from '../../repository/read/commit-facts.ts'

/** A commit as clients of the hub see it, the same over REST and the binding. */
export interface CommitMetadata {
  readonly hash: string
  readonly treeHash: string
  /** Without the one newline at its end. */
  readonly message: string
  readonly author: Person
  readonly committer: Person
  readonly parents: string[]
  /** Seconds since the epoch. */
  readonly authoredAt: number
  readonly committedAt: number
}

/** Words a commit for clients, its keys in the documented order. */
export function commitMetadata(facts: CommitFacts): CommitMetadata {
  const { message } = facts
  return {
    hash: facts.id,
    treeHash: facts.tree,
    message: message.endsWith('\n') ? message.slice(0, -1) : message,
    author: facts.author,
    committer: facts.committer,
    parents: [...facts.parents],
    authoredAt: facts.authoredAt,
    committedAt: facts.committedAt,
  }
}
