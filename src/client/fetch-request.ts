import { GitError } from '../errors.ts'
import type { ObjectId } from '../object/object-id.ts'
import type { HaveSource } from './negotiator.ts'
import { remoteFault } from './remote-refs.ts'

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

/** How many haves the first round offers. */
export const FIRST_BATCH = 16
/** From here on batches grow slowly. */
const LARGE_BATCH = 16384
/** After so many haves without a new common one, the search for a better common ground is given up. */
export const MAX_IN_VAIN = 256

/** The size of the next round: doubled, as git does where every round repeats what was said before. */
export function nextBatch(batch: number): number {
  return batch < LARGE_BATCH ? 2 * batch : Math.floor((batch * 11) / 10)
}

/** Takes up to `count` haves. */
export async function takeHaves(source: HaveSource | undefined, count: number): Promise<ObjectId[]> {
  const haves: ObjectId[] = []
  while (source !== undefined && haves.length < count) {
    const have = await source.next()
    if (have === undefined) break
    haves.push(have)
  }
  return haves
}
