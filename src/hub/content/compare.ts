import { decodeUtf8 } from '../../bytes/text.ts'
import { parseCommitLinks } from '../../object/commit-links.ts'
import { encodeEscapedText } from '../../object/escaped-text.ts'
import { parseObjectId, type ObjectId } from '../../object/object-id.ts'
import { COMMIT } from '../../object/object-type.ts'
import { diffTrees, type DiffEntry, type DiffSide } from '../../repository/read/diff-trees.ts'
import { findMergeBases } from '../../repository/read/merge-bases.ts'
import { readLog } from '../../repository/read/read-log.ts'
import { readTyped } from '../../repository/read/read-typed.ts'
import { resolveRevision } from '../../repository/read/resolve-revision.ts'
import { ArtifactsError } from '../artifacts-error.ts'
import type { HubContext } from '../hub-context.ts'
import type { RepositoryRecord } from '../registry/records.ts'
import { corruptObject, readContent, type OpenContent } from './open-content.ts'
import { canonicalMode } from './tree-listing.ts'

/** A file that differs between two commits. */
export interface FileDifference {
  /** Bytes that are not UTF-8 are U+FFFD. */
  readonly path: string
  readonly status: DiffEntry['status']
  /** `null` where the file was added. */
  readonly oldMode: string | null
  readonly oldHash: string | null
  /** `null` where the file was deleted. */
  readonly newMode: string | null
  readonly newHash: string | null
}

export interface Difference {
  /** The commit compared with; `null` for nothing, where a root commit is compared with its parent. */
  readonly from: string | null
  readonly to: string
  readonly files: FileDifference[]
  /** Whether more files differ than were asked for. */
  readonly truncated: boolean
}

export const DEFAULT_DIFF_LIMIT = 1000
export const MAX_DIFF_LIMIT = 10_000

export interface DifferenceQuery {
  /** Default: the first parent of `to`. */
  readonly from?: string | undefined
  /** Default `HEAD`. */
  readonly to?: string | undefined
  readonly limit?: number | undefined
}

/**
 * Compares two commits file by file.
 *
 * @throws ArtifactsError `NOT_FOUND` where a revision names no commit.
 */
export function readDifference(
  hub: HubContext,
  record: RepositoryRecord,
  { from, to = 'HEAD', limit = DEFAULT_DIFF_LIMIT }: DifferenceQuery,
): Promise<Difference> {
  const read = async (content: OpenContent): Promise<Difference> => {
    const { view } = content
    const after = await findCommit(content, to)
    const before =
      from === undefined
        ? ((await readLog(view, after, { limit: 1, offset: 1 }))[0]?.id ?? null)
        : await findCommit(content, from)
    const oldTree = before === null ? undefined : await readRootTree(content, before)
    const newTree = await readRootTree(content, after)
    const diff = await diffTrees(view, oldTree, newTree, { maxEntries: Math.min(limit, MAX_DIFF_LIMIT) })
    return { from: before, to: after, files: diff.entries.map(wordDifference), truncated: diff.isTruncated }
  }
  return readContent(hub, record, read, { revisions: from === undefined ? [to] : [from, to] })
}

/**
 * The best common ancestors of two commits: none, one, or several.
 *
 * @throws ArtifactsError `NOT_FOUND` where a revision names no commit.
 */
export function readMergeBases(
  hub: HubContext,
  record: RepositoryRecord,
  left: string,
  right: string,
): Promise<string[]> {
  const read = async (content: OpenContent): Promise<string[]> => [
    ...(await findMergeBases(
      content.view,
      await findCommit(content, left),
      await findCommit(content, right),
    )),
  ]
  return readContent(hub, record, read, { revisions: [left, right], walksHistory: true })
}

async function findCommit({ repository, view, named }: OpenContent, revision: string): Promise<string> {
  const id = named.get(revision)
  const commit = id === undefined ? undefined : await resolveRevision(repository.storage, view, id)
  if (commit !== undefined) return commit
  throw new ArtifactsError('NOT_FOUND', `Commit not found: ${revision.slice(0, 200)}.`, {
    restMessage: 'Commit not found',
  })
}

/** Raw id of the root tree of a commit. */
async function readRootTree({ view }: OpenContent, commit: ObjectId): Promise<Uint8Array> {
  const read = await readTyped(view, parseObjectId(commit, view.format), COMMIT)
  if (read.kind !== 'found') throw corruptObject()
  return parseCommitLinks(read.body, view.format).tree
}

function wordDifference({ path, status, old, new: now }: DiffEntry): FileDifference {
  const mode = (side: DiffSide | undefined): string | null =>
    side === undefined ? null : canonicalMode(side.mode).toString(8)
  return {
    path: decodeUtf8(encodeEscapedText(path)),
    status,
    oldMode: mode(old),
    oldHash: old?.id ?? null,
    newMode: mode(now),
    newHash: now?.id ?? null,
  }
}
