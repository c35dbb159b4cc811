import { GitError } from '../errors.ts'
import { parseObjectId, type ObjectId } from '../object/object-id.ts'
import type { ObjectSource } from './object-source.ts'
import { CommitTable } from './commit-table.ts'
import { peelToCommits } from './peel.ts'
import { walkCommits } from './walk-commits.ts'

/** A depth that means "all of it": what `git fetch --unshallow` sends. */
export const INFINITE_DEPTH = 0x7fffffff

/** How much history a client wants (gitprotocol-pack, "shallow-request"). */
export interface DeepenRequest {
  readonly wants: readonly ObjectId[]
  /** Commits whose parents the client lacks: its `shallow` lines. */
  readonly clientShallow: readonly ObjectId[]
  /** How many commits deep, the wants being 1; {@link INFINITE_DEPTH} for all. */
  readonly depth?: number | undefined
  /** Count `depth` from the client's present boundary. */
  readonly relative?: boolean
  /** Commits from this second on. */
  readonly since?: number | undefined
  /** Commits that these do not reach. */
  readonly not?: readonly ObjectId[]
}

/** How the client's boundary changes. */
export interface DeepenResult {
  /** Commits that become shallow. */
  readonly shallow: readonly ObjectId[]
  /** Commits that were shallow, and whose parents will be sent. */
  readonly unshallow: readonly ObjectId[]
}

/**
 * Computes the client's new shallow boundary.
 *
 * @throws GitError `PROTOCOL` when nothing is left to send ("no commits selected for shallow requests"),
 * `MISSING_OBJECT`, `CORRUPT_OBJECT`
 */
export async function deepen(reader: ObjectSource, request: DeepenRequest): Promise<DeepenResult> {
  // A client without a boundary has everything already, and keeps it: there is nothing to count from.
  if (request.relative === true && request.clientShallow.length === 0) return { shallow: [], unshallow: [] }
  const table = new CommitTable(reader)
  const heads = await addCommits(table, request.wants)
  const clientShallow = request.clientShallow.map((id) => table.add(parseObjectId(id, reader.format)))
  const boundary =
    request.since !== undefined || (request.not?.length ?? 0) > 0
      ? await boundaryByRange(table, heads, request)
      : await boundaryByDepth(table, heads, clientShallow, request)
  const wasShallow = new Set(clientShallow)
  return {
    shallow: boundary.shallow
      .filter((commit) => !wasShallow.has(commit))
      .map((commit) => table.hexId(commit)),
    unshallow: clientShallow
      .filter((commit) => boundary.inside.has(commit))
      .map((commit) => table.hexId(commit)),
  }
}

interface Boundary {
  readonly shallow: readonly number[]
  /** Commits whose parents the client gets or has. */
  readonly inside: ReadonlySet<number>
}

async function addCommits(table: CommitTable, ids: readonly ObjectId[]): Promise<number[]> {
  const raw = ids.map((id) => parseObjectId(id, table.reader.format))
  return (await peelToCommits(table.reader, raw)).map((id) => table.add(id))
}

async function boundaryByDepth(
  table: CommitTable,
  heads: readonly number[],
  clientShallow: readonly number[],
  request: DeepenRequest,
): Promise<Boundary> {
  const depth = request.depth ?? INFINITE_DEPTH
  if (depth >= INFINITE_DEPTH && table.reader.shallow.size === 0) {
    return { shallow: [], inside: new Set(clientShallow) }
  }
  if (request.relative === true) {
    return walkDepth(table, await reachable(table, heads, clientShallow), depth + 1)
  }
  return walkDepth(table, heads, depth)
}

/** Breadth first, so that the first visit of a commit is at its least depth. */
async function walkDepth(table: CommitTable, heads: readonly number[], depth: number): Promise<Boundary> {
  const ownShallow = table.reader.shallow
  const shallow: number[] = []
  const inside = new Set<number>()
  const seen = new Set(heads)
  let level = [...seen]
  for (let reached = 1; level.length > 0; reached++) {
    await table.load(level)
    const within: number[] = []
    for (const commit of level) {
      if (reached >= depth || ownShallow.has(table.hexId(commit))) {
        shallow.push(commit)
        continue
      }
      inside.add(commit)
      within.push(commit)
    }
    level = table.unseenParents(within, seen)
  }
  return { shallow, inside }
}

/** Those of `targets` that `heads` reach, through one another too: each is a boundary to count from. */
async function reachable(
  table: CommitTable,
  heads: readonly number[],
  targets: readonly number[],
): Promise<readonly number[]> {
  const missing = new Set(targets)
  const found: number[] = []
  const seen = new Set(heads)
  let level = [...seen]
  while (level.length > 0) {
    await table.load(level)
    for (const commit of level) {
      if (missing.delete(commit)) found.push(commit)
    }
    if (missing.size === 0) return found
    level = table.unseenParents(level, seen)
  }
  return found
}

async function boundaryByRange(
  table: CommitTable,
  heads: readonly number[],
  request: DeepenRequest,
): Promise<Boundary> {
  const excluded = await addCommits(table, request.not ?? [])
  const { commits } = await walkCommits(table, heads, excluded, { since: request.since })
  if (commits.length === 0) throw new GitError('PROTOCOL', 'no commits selected for shallow requests')
  const selected = new Set(commits)
  const ownShallow = table.reader.shallow
  const shallow = commits.filter(
    (commit) =>
      ownShallow.has(table.hexId(commit)) || table.parents(commit).some((parent) => !selected.has(parent)),
  )
  const onBoundary = new Set(shallow)
  return { shallow, inside: new Set(commits.filter((commit) => !onBoundary.has(commit))) }
}
