import { yieldToHost } from '../bytes/yield-to-host.ts'
import { IdTable } from '../object/id-table.ts'
import { encodeObjectId, type ObjectId } from '../object/object-id.ts'
import { visitLinks } from '../object/object-links.ts'
import { BLOB, COMMIT, objectTypeName, type ObjectType } from '../object/object-type.ts'
import type { ObjectView } from '../odb/object-view.ts'
import type { PackFile } from '../odb/pack-file.ts'

/** An object that is not there though something names it. */
export interface MissingObject {
  readonly missing: ObjectId
  /** `commit`, `tree`, `blob`, or `object` when nothing says which. */
  readonly type: string
  /** The object that names it, where known. */
  readonly neededBy?: ObjectId
}

/** An object that a walk comes to. */
interface Reached {
  readonly id: Uint8Array
  readonly type: ObjectType | undefined
  readonly neededBy: Uint8Array | undefined
}

/** Objects looked at between two turns of the host. */
const TURN = 16_384
/** Objects of a pack that are read together. */
const BATCH = 4096

/** Whether objects may be missing because a remote has promised them (git's technical/partial-clone). */
export function isPartialClone(view: ObjectView): boolean {
  return view.packs.some((pack) => pack.promisor)
}

/**
 * Checks a partial clone: everything that the ids reach must be there, or be promised. As in git, what is in a pack of a promisor is taken
 * as complete, and what any object in such a pack names may be missing.
 *
 * @param complete commits that refs name: what they reach was looked at when the refs were written.
 */
export async function findUnpromised(
  view: ObjectView,
  ids: readonly Uint8Array[],
  complete: ReadonlySet<ObjectId>,
): Promise<MissingObject | undefined> {
  const { format } = view
  const seen = new IdTable(format.idLength, 64, 'named')
  const absent: Reached[] = []
  let next: Reached[] = []
  const reach = (id: Uint8Array, type: ObjectType | undefined, neededBy: Uint8Array | undefined): void => {
    const count = seen.size
    if (seen.add(id) === count) next.push({ id: seen.id(count), type, neededBy })
  }
  /** False when bytes have to be waited for. */
  const tryPass = (reached: Reached): boolean => {
    const { id, type } = reached
    if (view.locate(id)?.pack.promisor === true) return true
    if (type === BLOB) {
      const isThere = view.tryHas(id)
      if (isThere === false) absent.push(reached)
      return isThere !== undefined
    }
    const object = view.tryRead(id)
    if (object === undefined) return false
    if (object === null) {
      absent.push(reached)
      return true
    }
    const hex = object.type === COMMIT ? encodeObjectId(id, 0, format) : ''
    if (complete.has(hex)) return true
    const isShallow = view.shallow.has(hex)
    visitLinks(object, format, (link, linkType) => {
      if (!isShallow || linkType !== COMMIT) reach(link, linkType, id)
    })
    return true
  }
  for (const id of ids) reach(id, undefined, undefined)
  while (next.length > 0) {
    let waiting = next
    next = []
    while (waiting.length > 0) {
      const left: Reached[] = []
      for (const [at, reached] of waiting.entries()) {
        if (!tryPass(reached)) left.push(reached)
        if (at % TURN === TURN - 1) await yieldToHost()
      }
      if (left.length > 0) await view.settle()
      waiting = left
    }
  }
  return firstUnpromised(view, absent)
}

/** The first of these absent objects that no object in a pack of a promisor names. */
async function firstUnpromised(
  view: ObjectView,
  absent: readonly Reached[],
): Promise<MissingObject | undefined> {
  if (absent.length === 0) return undefined
  const { format } = view
  const promised = new IdTable(format.idLength)
  for (const pack of view.packs) if (pack.promisor) await collectLinks(view, pack, promised)
  const gap = absent.find(({ id }) => !promised.has(id))
  return (
    gap && {
      missing: encodeObjectId(gap.id, 0, format),
      type: gap.type === undefined ? 'object' : objectTypeName(gap.type),
      ...(gap.neededBy === undefined ? {} : { neededBy: encodeObjectId(gap.neededBy, 0, format) }),
    }
  )
}

/** Adds everything that the objects of a pack name. It reads all of them but blobs, so it is only for when something is absent. */
async function collectLinks(view: ObjectView, pack: PackFile, links: IdTable): Promise<void> {
  const { index } = pack
  const { packOrder } = index
  /** False when bytes have to be waited for. */
  const tryCollect = (rank: number): boolean => {
    if (pack.find(index.bytes, index.idAt(rank)) < 0) return true
    const type = pack.tryType(rank)
    if (type === undefined || type === BLOB) return type === BLOB
    const object = pack.tryRead(rank)
    if (object !== undefined) {
      visitLinks(object, view.format, (id) => {
        links.add(id)
      })
    }
    return object !== undefined
  }
  for (let from = 0; from < packOrder.length; from += BATCH) {
    let waiting = Array.from(packOrder.subarray(from, from + BATCH))
    while (waiting.length > 0) {
      waiting = waiting.filter((rank) => !tryCollect(rank))
      if (waiting.length > 0) await pack.data.settle()
    }
    await yieldToHost()
  }
}
