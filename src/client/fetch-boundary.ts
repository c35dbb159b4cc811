import { hasObject } from '../object/object-reader.ts'
import { parseObjectId, type ObjectId } from '../object/object-id.ts'
import type { IncomingPack } from '../repository/incoming-pack.ts'
import type { MissingObject } from '../repository/find-unpromised.ts'
import type { ShallowChange } from '../storage/repository-storage.ts'
import { remoteFault } from './remote-refs.ts'

/** What a fetch brought, with everything that decides where history ends afterwards. */
export interface Obtained {
  readonly incoming: IncomingPack
  /** The stored boundary. */
  readonly current: readonly ObjectId[]
  /** What the remote said of it. */
  readonly shallow: readonly ObjectId[]
  readonly unshallow: readonly ObjectId[]
  /** What the refs that were asked for by name held when they were sent. */
  readonly wantedRefs: ReadonlyMap<string, ObjectId>
  /** Whether a depth was asked for: then what the remote says is for this repository, and else about the remote itself. */
  readonly isDeepening: boolean
  /** What to do when the remote is shallow itself: end history where it does, do so only if need be, or do without such refs. */
  readonly remoteShallow: 'take' | 'take-if-needed' | 'refuse'
}

/** Where history ends after a fetch. */
export interface NewBoundary {
  /** How the list of shallow commits changes; `undefined` when it stays as it is. */
  readonly shallow: ShallowChange | undefined
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
    const unknown = unshallow.find((id) => !current.includes(id))
    if (unknown !== undefined)
      throw remoteFault(`the remote unshallows ${unknown}, which is not shallow here`)
    const change = { add: await newlyShallow(obtained), remove: unshallow }
    await assertConnected(incoming, [...tips, ...unshallow], change)
    return { shallow: isNoChange(change) ? undefined : change, cut: new Set() }
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
  const { incoming, remoteShallow } = obtained
  if (remoteShallow === 'take-if-needed' && (await incoming.findMissing(tips)) === undefined) {
    return { shallow: undefined, cut: new Set() }
  }
  const change = { add: await newlyShallow(obtained), remove: [] }
  await assertConnected(incoming, tips, change)
  return { shallow: isNoChange(change) ? undefined : change, cut: new Set() }
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
  shallow: ShallowChange | undefined,
): Promise<void> {
  const gap = await incoming.findMissing([...new Set(tips)], shallow)
  if (gap !== undefined) throw missingFault(gap)
}

function missingFault({ missing, type, neededBy }: MissingObject): Error {
  const by = neededBy === undefined ? '' : `, which ${neededBy} needs`
  return remoteFault(`the remote did not send all necessary objects: ${type} ${missing}${by}, is missing`)
}

/** Those of the remote's shallow commits that are here and not shallow yet, or no longer. */
async function newlyShallow({
  incoming,
  current,
  shallow,
  unshallow,
}: Obtained): Promise<readonly ObjectId[]> {
  const kept = new Set(current)
  for (const id of unshallow) kept.delete(id)
  const added: ObjectId[] = []
  for (const id of new Set(shallow)) {
    if (kept.has(id)) continue
    if (await hasObject(incoming.view, parseObjectId(id, incoming.view.format))) added.push(id)
  }
  return added
}

function isNoChange({ add, remove }: ShallowChange): boolean {
  return add.length === 0 && remove.length === 0
}
