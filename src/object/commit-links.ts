import { GitError } from '../errors.ts'
import { hasTextAt, lineEnd, parseIdLine } from './header-line.ts'
import type { ObjectFormat } from './object-format.ts'

/** What a walk needs of a commit. */
export interface CommitLinks {
  /** Raw id, a copy. */
  readonly tree: Uint8Array
  /** Raw ids, copies, in the commit's order. */
  readonly parents: readonly Uint8Array[]
  /** Seconds since the epoch; 0 when the commit has no readable committer date. */
  readonly committerTime: number
}

const TREE_LINE = 'tree '
const PARENT_LINE = 'parent '
const GREATER_THAN = 0x3e

/**
 * Reads tree, parents and committer date of a commit, ignoring everything else in it.
 *
 * @throws GitError `CORRUPT_OBJECT` when the tree line or a parent line is malformed.
 */
export function parseCommitLinks(body: Uint8Array, format: ObjectFormat): CommitLinks {
  const idLength = format.idLength
  const tree = hasTextAt(body, 0, TREE_LINE) ? parseIdLine(body, TREE_LINE.length, idLength) : undefined
  if (tree === undefined) throw malformedCommit('it does not begin with a tree line', 0)
  let at = TREE_LINE.length + 2 * idLength + 1

  const parents: Uint8Array[] = []
  while (hasTextAt(body, at, PARENT_LINE)) {
    const parent = parseIdLine(body, at + PARENT_LINE.length, idLength)
    if (parent === undefined) throw malformedCommit('a parent line has no id', at)
    parents.push(parent)
    at += PARENT_LINE.length + 2 * idLength + 1
  }
  return { tree, parents, committerTime: parseCommitterTime(body, at) }
}

function parseCommitterTime(body: Uint8Array, authorAt: number): number {
  if (!hasTextAt(body, authorAt, 'author')) return 0
  const committerAt = lineEnd(body, authorAt) + 1
  if (!hasTextAt(body, committerAt, 'committer')) return 0
  const end = lineEnd(body, committerAt)
  let at = end - 1
  while (at > committerAt && body[at] !== GREATER_THAN) at--
  if (at === committerAt) return 0
  at++
  while (at < end && isBlank(body[at]!)) at++
  let time = 0
  for (; at < end; at++) {
    const digit = body[at]! - 0x30
    if (digit < 0 || digit > 9) break
    time = Math.min(10 * time + digit, Number.MAX_SAFE_INTEGER)
  }
  return time
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)
}

function malformedCommit(what: string, offset: number): GitError {
  return new GitError('CORRUPT_OBJECT', `malformed commit: ${what} (byte ${offset})`, {
    details: { type: 'commit', offset },
  })
}
