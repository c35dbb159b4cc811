import { parseHexInto } from '../bytes/hex.ts'
import type { ObjectId } from '../object/object-id.ts'
import type { ObjectView } from '../odb/object-view.ts'
import type { PackFile, ReachablePackFile } from '../odb/pack-file.ts'
import type { Framing } from '../odb/framing.ts'

/** What decides whether a stored pack is the answer to a request as it is. */
export interface WholePackRequest {
  readonly wants: readonly ObjectId[]
  readonly includeTags: readonly { readonly tag: ObjectId; readonly peeled: ObjectId }[]
}

/**
 * Finds the pack whose objects are exactly those that the wants reach, without walking: it names no object that it does not have, all
 * wants are in it, and so it is what they reach if they are all it has that nothing else in it names.
 *
 * Only for requests that nothing bounds: no haves, no filter, no shallow commits on either side.
 */
export function findWholePack(
  view: ObjectView,
  { wants, includeTags }: WholePackRequest,
): ReachablePackFile | undefined {
  const id = new Uint8Array(view.format.idLength)
  return view.reachability.packs.find((pack) => {
    const { index, reachability, mask } = pack
    if (mask !== undefined || reachability.externalCount > 0) return false
    const find = (text: ObjectId): number => {
      parseHexInto(text, id)
      return index.find(id)
    }
    const { positions } = index
    const wanted = new Uint32Array(wants.length)
    for (const [at, want] of wants.entries()) {
      const rank = find(want)
      if (rank < 0) return false
      wanted[at] = positions[rank]!
    }
    if (!isWithin(reachability.tips, wanted.sort())) return false
    // A tag elsewhere that names an object of the pack would have to come along.
    const isWanted = new Set(wants)
    return includeTags.every(({ tag, peeled }) => isWanted.has(tag) || find(tag) >= 0 || find(peeled) < 0)
  })
}

/** Whether all of some numbers are among others, both in ascending order. */
function isWithin(some: Uint32Array, others: Uint32Array): boolean {
  let at = 0
  return some.every((number) => {
    while (at < others.length && others[at]! < number) at++
    return others[at] === number
  })
}

/** How much of a stored pack is read at once, as far as packets allow. */
const READ_SIZE = 1 << 20

/** The bytes of a stored pack. Chunks belong to the receiver. */
export async function* readWholePack(
  { data }: PackFile,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await data.file()
  for (let offset = 0; offset < file.size; offset += READ_SIZE) {
    signal?.throwIfAborted()
    const [piece] = await file.read([{ offset, length: Math.min(READ_SIZE, file.size - offset) }])
    if (piece !== undefined) yield piece
  }
}

/** The bytes of a stored pack, wrapped in frames. Chunks are shared with others: never write to them. */
export async function* readFramedPack(
  { data }: PackFile,
  framing: Framing,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const step = framing.every * Math.max(1, Math.floor(READ_SIZE / framing.every))
  for (let offset = 0; offset < data.size; offset += step) {
    signal?.throwIfAborted()
    yield data.readFramed({ offset, length: Math.min(step, data.size - offset) }, framing)
  }
}
