import { equalBytes } from '../bytes/compare.ts'
import { yieldToHost } from '../bytes/yield-to-host.ts'
import { GitError } from '../errors.ts'
import { encodeObjectId } from '../object/object-id.ts'
import type { ObjectView } from '../odb/object-view.ts'
import type { PackFile } from '../odb/pack-file.ts'
import type { PackIndex } from '../pack/pack-index.ts'
import type { LooseObjects } from '../storage/repository-storage.ts'

/** Up to so many ids are looked up among loose objects one by one; for more, loose objects are listed once. */
const LOOKUPS = 256
/** Received objects looked up between two turns of the host. */
const TURN = 65_536
/** Objects compared between two waits for the storage. */
const BATCH = 64

/** What arrived: the index of the pack, and the pack itself, which is only asked for when there is something to compare. */
export interface ReceivedObjects {
  readonly index: PackIndex
  /** Objects at the end of the pack that did not arrive but were added from the store. */
  readonly addedCount: number
  readonly pack: () => PackFile
}

/**
 * Checks that received objects which are there already are there with the same content, as git does: an id stands for one content,
 * and who can make two is an attacker. Loose objects of alternates are only looked at when little was received.
 *
 * @throws GitError `CORRUPT_OBJECT` with `details.reason` = 'id-collision'
 */
export async function assertNoCollision(
  received: ReceivedObjects,
  view: ObjectView,
  loose: LooseObjects | undefined,
): Promise<void> {
  const ranks = [...(await findDuplicates(received, view, loose))]
  if (ranks.length === 0) return
  const pack = received.pack()
  for (let at = 0; at < ranks.length; at += BATCH) await compare(ranks.slice(at, at + BATCH), pack, view)
}

/** Ranks of received objects that are there already. */
async function findDuplicates(
  { index, addedCount }: ReceivedObjects,
  view: ObjectView,
  loose: LooseObjects | undefined,
): Promise<Set<number>> {
  const duplicates = new Set<number>()
  const { packOrder, bytes } = index
  const receivedCount = index.objectCount - addedCount
  for (let position = 0; position < receivedCount; position++) {
    const rank = packOrder[position]!
    if (view.locate(bytes, index.idAt(rank)) !== undefined) duplicates.add(rank)
    if (position % TURN === TURN - 1) await yieldToHost()
  }
  if (loose === undefined || duplicates.size === receivedCount) return duplicates
  if (receivedCount <= LOOKUPS) {
    const ranks = packOrder.subarray(0, receivedCount).filter((rank) => !duplicates.has(rank))
    const ids = new Uint8Array(ranks.length * index.idLength)
    ranks.forEach((rank, at) => {
      ids.set(index.id(rank), at * index.idLength)
    })
    const isThere = await loose.hasMany(ids)
    ranks.forEach((rank, at) => {
      if (isThere[at] !== 0) duplicates.add(rank)
    })
    return duplicates
  }
  const ids = await loose.list()
  for (let at = 0; at < ids.length; at += index.idLength) {
    const rank = index.find(ids, at)
    if (rank >= 0 && index.positionOf(index.offset(rank)) < receivedCount) duplicates.add(rank)
  }
  return duplicates
}

async function compare(ranks: readonly number[], pack: PackFile, view: ObjectView): Promise<void> {
  let waiting = [...ranks]
  while (waiting.length > 0) {
    waiting = waiting.filter((rank) => {
      const id = pack.index.id(rank)
      const mine = view.tryRead(id)
      const theirs = pack.tryRead(rank)
      if (mine === undefined || theirs === undefined) return true
      if (mine !== null && (mine.type !== theirs.type || !equalBytes(mine.body, theirs.body)))
        throw collision(id, view)
      return false
    })
    if (waiting.length > 0) await Promise.all([view.settle(), pack.data.settle()])
  }
}

function collision(rawId: Uint8Array, view: ObjectView): GitError {
  const id = encodeObjectId(rawId, 0, view.format)
  return new GitError(
    'CORRUPT_OBJECT',
    `SHA1 COLLISION FOUND WITH ${id} ! The received object has the id of a stored one and another content`,
    { details: { reason: 'id-collision', id } },
  )
}
