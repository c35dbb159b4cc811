import { hasObject } from '../object/object-reader.ts'
import { parseObjectId, type ObjectId } from '../object/object-id.ts'
import type { IncomingPack } from '../repository/incoming-pack.ts'
import type { MissingObject } from '../repository/find-missing-object.ts'
import { remoteFault } from './remote-refs.ts'

/** What a fetch brought, with everything that decides where history ends afterwards. */
export interface Obtained {
  readonly incoming: IncomingPack
  /** The stored boundary. */
  readonly current: readonly ObjectId[]
  /** What the remote said of it. */
  readonly shallow: readonly ObjectId[]
  readonly unshallow: readonly ObjectId[]
  /** Whether a depth was asked for: then what the remote says is for this repository, and else about the remote itself. */
  readonly isDeepening: boolean
  /** What to do when the remote is shallow itself: end history where it does, do so only if need be, or do without such refs. */
  readonly remoteShallow: 'take' | 'take-if-needed' | 'refuse'
}

/** Where history ends after a fetch. */
export interface NewBoundary {
  /** The whole new list; `undefined` when it stays as it is. */
  readonly shallow: readonly ObjectId[] | undefined
  /** Tips that would need another boundary, and are not taken. */
  readonly cut: ReadonlySet<ObjectId>
}

/**
 * Works out the new boundary, and checks that with it everything is here that the tips reach.
 *
 * @throws GitError `PROTOCOL` when something is missing that the remote had to send
 */
export async function checkBoundary(obtained: Obtained, tips: readonly ObjectId[]): Promise<NewBoundary> {
  const { incoming, current, unshallow, isDeepening } = obtained
  if (isDeepening || unshallow.length > 0) {
    const removed = new Set(unshallow)
    const unknown = unshallow.find((id) => !current.includes(id))
    if (unknown !== undefined)
      throw remoteFault(`the remote unshallows ${unknown}, which is not shallow here`)
    const kept = current.filter((id) => !removed.has(id))
    const shallow = withMore(kept, await presentOf(obtained))
    const isSame = removed.size === 0 && shallow.length === current.length
    await assertConnected(incoming, [...tips, ...unshallow], shallow)
    return { shallow: isSame ? undefined : shallow, cut: new Set() }
  }
  if (obtained.shallow.length === 0) {
    await assertConnected(incoming, tips, undefined)
    return { shallow: undefined, cut: new Set() }
  }
  return obtained.remoteShallow === 'refuse'
    ? refuseRemoteShallow(obtained, tips)
    : takeRemoteShallow(obtained, tips)
}

/** The remote's history ends early, and this one's may end there too. */
async function takeRemoteShallow(obtained: Obtained, tips: readonly ObjectId[]): Promise<NewBoundary> {
  const { incoming, current, remoteShallow } = obtained
  if (remoteShallow === 'take-if-needed' && (await incoming.findMissing(tips)) === undefined) {
    return { shallow: undefined, cut: new Set() }
  }
  const shallow = withMore(current, await presentOf(obtained))
  await assertConnected(incoming, tips, shallow)
  return { shallow: shallow.length === current.length ? undefined : shallow, cut: new Set() }
}

/** The remote's history ends early: tips that depend on that are not taken. */
async function refuseRemoteShallow({ incoming }: Obtained, tips: readonly ObjectId[]): Promise<NewBoundary> {
  const cut = new Set<ObjectId>()
  if ((await incoming.findMissing(tips)) === undefined) return { shallow: undefined, cut }
  for (const tip of tips) if ((await incoming.findMissing([tip])) !== undefined) cut.add(tip)
  return { shallow: undefined, cut }
}

async function assertConnected(
  incoming: IncomingPack,
  tips: readonly ObjectId[],
  shallow: readonly ObjectId[] | undefined,
): Promise<void> {
  const gap = await incoming.findMissing([...new Set(tips)], shallow)
  if (gap !== undefined) throw missingFault(gap)
}

function missingFault({ missing, type, neededBy }: MissingObject): Error {
  const by = neededBy === undefined ? '' : `, which ${neededBy} needs`
  return remoteFault(`the remote did not send all necessary objects: ${type} ${missing}${by}, is missing`)
}

/** Those of the remote's shallow commits that are here. */
async function presentOf({ incoming, shallow }: Obtained): Promise<readonly ObjectId[]> {
  const present: ObjectId[] = []
  for (const id of shallow) {
    if (await hasObject(incoming.view, parseObjectId(id, incoming.view.format))) present.push(id)
  }
  return present
}

function withMore(ids: readonly ObjectId[], more: readonly ObjectId[]): readonly ObjectId[] {
  return [...new Set([...ids, ...more])].sort()
}
