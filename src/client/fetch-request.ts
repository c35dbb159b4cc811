import { GitError } from '../errors.ts'
import type { ObjectId } from '../object/object-id.ts'
import type { ObjectFormatName } from '../object/object-format.ts'
import type { PktReader } from '../protocol/pkt-reader.ts'
import type { HaveSource } from './negotiator.ts'
import { parseRemoteId, remoteFault } from './remote-refs.ts'

/** How much history is wanted. At most one of `depth` and the pair `since`, `not`. */
export interface DeepenOptions {
  /** How many commits deep, the tips being 1; `Infinity` for all of it (git's `--unshallow`). */
  readonly depth?: number
  /** Count `depth` from where the history ends now (git's `--deepen`). */
  readonly relative?: boolean
  /** Commits from this second on (git's `--shallow-since`). */
  readonly since?: number
  /** Commits that these refs of the remote do not reach (git's `--shallow-exclude`). */
  readonly not?: readonly string[]
}

/** One fetch of a pack, whatever the version. */
export interface FetchRequest {
  readonly wants: readonly ObjectId[]
  /** Refs to be sent as they are when the request arrives. Only for a remote that offers `ref-in-want`. */
  readonly wantRefs: readonly string[]
  readonly haves: HaveSource | undefined
  /** Commits whose parents this side lacks. */
  readonly shallow: readonly ObjectId[]
  readonly deepen: DeepenOptions | undefined
  readonly filter: string | undefined
  /** Ask for annotated tags of what is sent. */
  readonly includeTag: boolean
  /** Allow deltas on objects that are not sent. */
  readonly thin: boolean
}

/** The beginning of a remote's answer. */
export interface FetchedPack {
  /** What the refs that were asked for by name hold. */
  readonly wantedRefs: ReadonlyMap<string, ObjectId>
  /** Commits that become shallow; in version 2 also those where the remote's own history ends. */
  readonly shallow: readonly ObjectId[]
  /** Commits that stop being shallow. */
  readonly unshallow: readonly ObjectId[]
  /** The pack's bytes. */
  readonly pack: AsyncIterable<Uint8Array>
  /** Drops what was not read. Idempotent. */
  close(): Promise<void>
}

/** What `deepen` is sent as when all of history is wanted. */
export const INFINITE_DEPTH = 0x7fffffff

/**
 * Checks what was asked for.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function assertDeepenOptions({ depth, relative, since, not }: DeepenOptions): void {
  const isRange = since !== undefined || (not !== undefined && not.length > 0)
  if (depth !== undefined && isRange) {
    throw new GitError('INVALID_ARGUMENT', 'depth cannot be combined with since or not; ask for one of them')
  }
  if (depth === undefined && relative === true) {
    throw new GitError('INVALID_ARGUMENT', 'relative says how depth is counted; give a depth')
  }
  if (depth !== undefined && depth !== Infinity && !(Number.isSafeInteger(depth) && depth > 0)) {
    throw new GitError('INVALID_ARGUMENT', `depth is ${depth}; expected a whole number above 0, or Infinity`)
  }
  if (since !== undefined && !(Number.isSafeInteger(since) && since > 0)) {
    throw new GitError('INVALID_ARGUMENT', `since is ${since}; expected seconds since the epoch`)
  }
  if (not?.some((ref) => ref === '' || /[\s\0]/.test(ref)) === true) {
    throw new GitError('INVALID_ARGUMENT', 'a name in not is no ref name')
  }
}

/** The lines that ask for a depth, the same in all versions but for `deepen-relative`. */
export function deepenLines({ depth, since, not = [] }: DeepenOptions): readonly string[] {
  return [
    ...(depth === undefined ? [] : [`deepen ${Math.min(depth, INFINITE_DEPTH)}`]),
    ...(since === undefined ? [] : [`deepen-since ${since}`]),
    ...not.map((ref) => `deepen-not ${ref}`),
  ]
}

/** The error for something the remote does not do. */
export function unoffered(what: string): GitError {
  return new GitError('UNSUPPORTED', `the remote does not offer ${what}`)
}

/**
 * Adds an id to what a remote has listed so far.
 *
 * @throws GitError `PROTOCOL` when it lists more than can be
 */
export function addListed(ids: ObjectId[], id: ObjectId, maximum: number): void {
  if (ids.length === maximum) throw remoteFault(`the remote lists more than ${maximum} commits`)
  ids.push(id)
}

/** Where history ends, in the words of a remote. */
export interface SaidBoundary {
  readonly shallow: readonly ObjectId[]
  readonly unshallow: readonly ObjectId[]
}

/** Reads `shallow` and `unshallow` lines up to the packet behind them. */
export async function readBoundaryLines(
  reader: PktReader,
  end: 'flush' | 'delim',
  { objectFormat, maxRefs }: { readonly objectFormat: ObjectFormatName; readonly maxRefs: number },
): Promise<SaidBoundary> {
  const shallow: ObjectId[] = []
  const unshallow: ObjectId[] = []
  for (;;) {
    const line = await reader.readLine()
    if (line.kind === end) return { shallow, unshallow }
    const [keyword, id] = line.kind === 'line' ? line.text.split(' ') : []
    const list = keyword === 'shallow' ? shallow : keyword === 'unshallow' ? unshallow : undefined
    if (list === undefined || id === undefined)
      throw remoteFault('expected the boundary of a shallow history from the remote')
    addListed(list, parseRemoteId(id, objectFormat), maxRefs)
  }
}
