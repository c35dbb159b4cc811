import { commitEncoding, parseCommit } from '../../object/commit.ts'
import { encodeEscapedText } from '../../object/escaped-text.ts'
import type { Identity } from '../../object/identity.ts'
import { decodeMessage } from '../../object/message-text.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import type { ObjectId } from '../../object/object-id.ts'

/** Who made or committed something, for people and programs. */
export interface Person {
  readonly name: string
  readonly email: string
}

/** A commit decoded for people and programs. */
export interface CommitFacts {
  readonly id: ObjectId
  readonly tree: ObjectId
  readonly parents: readonly ObjectId[]
  /** The whole message, decoded by the commit's own encoding; its trailing newlines are kept. */
  readonly message: string
  readonly author: Person
  readonly committer: Person
  /** Seconds since the epoch. */
  readonly authoredAt: number
  readonly committedAt: number
}

/**
 * Decodes a commit. Bytes that are no text in the commit's encoding become U+FFFD.
 *
 * @throws GitError `CORRUPT_OBJECT`
 */
export function parseCommitFacts(id: ObjectId, body: Uint8Array, format: ObjectFormat): CommitFacts {
  const commit = parseCommit(body, format)
  const encoding = commitEncoding(commit)
  const decode = (text: string): string => decodeMessage(encodeEscapedText(text), encoding)
  const person = ({ name, email }: Identity): Person => ({ name: decode(name), email: decode(email) })
  return {
    id,
    tree: commit.tree,
    parents: commit.parents,
    message: decodeMessage(commit.message, encoding),
    author: person(commit.author),
    committer: person(commit.committer),
    authoredAt: Number(commit.author.time),
    committedAt: Number(commit.committer.time),
  }
}
