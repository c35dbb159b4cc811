import { GitError } from '../errors.ts'
import { encodeIdentity, parseIdentity, type Identity } from './identity.ts'
import {
  encodeExtraHeaders,
  joinHeaders,
  malformedObject,
  parseExtraHeaders,
  splitHeaders,
  valueOfLine,
  type ExtraHeader,
} from './object-headers.ts'
import type { ObjectFormat } from './object-format.ts'
import { isObjectId, parseObjectId, type ObjectId } from './object-id.ts'

/** A commit, with everything its bytes say. */
export interface Commit {
  readonly tree: ObjectId
  readonly parents: readonly ObjectId[]
  readonly author: Identity
  readonly committer: Identity
  /** What follows the committer, in order: `gpgsig`, `mergetag`, `encoding` and whatever else was written. */
  readonly extraHeaders: readonly ExtraHeader[]
  /** In the encoding that the `encoding` header names, UTF-8 without one: see message-text.ts. */
  readonly message: Uint8Array
  /** Set when the body ends after its headers, without the blank line; the message is then empty. */
  readonly headerOnly?: true
}

/**
 * Parses a commit. Encoding the result gives the same bytes. The message is a view into the body.
 *
 * @throws GitError `CORRUPT_OBJECT` when tree, parents, author and committer do not begin it in this order.
 */
export function parseCommit(body: Uint8Array, format: ObjectFormat): Commit {
  const { lines, message, headerOnly } = splitHeaders(body, 'commit')
  let at = 0
  const tree = valueOfLine(lines[at++], 'tree')
  if (tree === undefined) throw malformedObject('commit', 'it does not begin with a tree line')
  assertCommitId(tree, 'tree', format)
  const parents: ObjectId[] = []
  for (
    let parent = valueOfLine(lines[at], 'parent');
    parent !== undefined;
    parent = valueOfLine(lines[++at], 'parent')
  ) {
    assertCommitId(parent, 'parent', format)
    parents.push(parent)
  }
  const author = valueOfLine(lines[at++], 'author')
  if (author === undefined)
    throw malformedObject('commit', 'an author line was expected after tree and parents')
  const committer = valueOfLine(lines[at++], 'committer')
  if (committer === undefined)
    throw malformedObject('commit', 'a committer line was expected after the author')
  return {
    tree,
    parents,
    author: parseIdentity(author),
    committer: parseIdentity(committer),
    extraHeaders: parseExtraHeaders(lines.slice(at)),
    message,
    ...(headerOnly ? { headerOnly } : {}),
  }
}

/**
 * Encodes a commit.
 *
 * @throws GitError `INVALID_ID` or `INVALID_ARGUMENT` when a field cannot be written.
 */
export function encodeCommit(commit: Commit, format: ObjectFormat): Uint8Array {
  const { tree, parents, author, committer, extraHeaders, message, headerOnly = false } = commit
  for (const id of [tree, ...parents]) parseObjectId(id, format)
  const lines = [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    `author ${encodeIdentity(author)}`,
    `committer ${encodeIdentity(committer)}`,
    ...encodeExtraHeaders(extraHeaders),
  ]
  return joinHeaders({ lines, message, headerOnly })
}

/** The name of the encoding that a commit says its texts are in, if it says so. */
export function commitEncoding(commit: Commit): string | undefined {
  return commit.extraHeaders.find(({ name }) => name === 'encoding')?.value
}

function assertCommitId(text: string, line: string, format: ObjectFormat): void {
  if (isObjectId(text, format)) return
  throw new GitError(
    'CORRUPT_OBJECT',
    `malformed commit: '${text.slice(0, 80)}' in a ${line} line is not an object id`,
    {
      details: { type: 'commit' },
    },
  )
}
