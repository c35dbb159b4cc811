import { parseHexInto } from '../bytes/hex.ts'
import type { ObjectId } from '../object/object-id.ts'
import type { ObjectView } from '../odb/object-view.ts'
import type { PackFile, ReachablePackFile } from '../odb/pack-file.ts'
import type { Framing } from '../odb/framing.ts'

/** What decides whether a stored pack is the answer to a request as it is. */
export interface WholePackRequest {
  readonly wants: readonly ObjectId[]
  readonly includeTags: readonly IncludedTag[]
}

/** A tag that is to come along when what it finally names is sent; a ref that names no tag object has no `peeled`, and is passed over. */
export interface IncludedTag {
  readonly id: ObjectId
  readonly peeled?: ObjectId
}

/** A digest of a request that nothing bounds. */
export function digestRequest(view: ObjectView, request: WholePackRequest): string {
  return `${view.requests.digest(request.wants, view.format)} ${digestTags(view, request.includeTags)}`
}

/** Of tags; what each names follows from its id. */
function digestTags({ format, requests }: ObjectView, tags: readonly IncludedTag[]): string {
  return requests.digestOf(
    tags,
    (list) => list.flatMap(({ id, peeled }) => (peeled === undefined ? [] : [id])),
    format,
  )
}

/**
 * Finds the pack whose objects are exactly those that the wants reach, without walking: it names no object that it does not have, all
 * wants are in it, and so it is what they reach if they are all it has that nothing else in it names.
 *
 * Only for requests that nothing bounds: no haves, no filter, no shallow commits on either side.
 */
export function findWholePack(view: ObjectView, request: WholePackRequest): ReachablePackFile | undefined {
  const pack = findPackOf(view, request.wants)
  return pack !== undefined && hasItsTags(view, pack, request.includeTags) ? pack : undefined
}

/** Like {@link findWholePack}, for a request that includes no tags. */
export function findPackOf(
  { reachability, requests, format }: ObjectView,
  wants: readonly ObjectId[],
): ReachablePackFile | undefined {
  const digest = requests.digest(wants, format)
  const known = requests.wholePacks.get(reachability, digest)
  if (known !== undefined) return known === 'none' ? undefined : known
  const found = reachability.packs.find((pack) => isWhole(pack, wants))
  requests.wholePacks.set(reachability, digest, found ?? 'none')
  return found
}

function isWhole({ index, reachability, mask }: ReachablePackFile, wants: readonly ObjectId[]): boolean {
  if (mask !== undefined || reachability.externalCount > 0 || wants.length < reachability.tips.length)
    return false
  const id = new Uint8Array(index.idLength)
  const { positions } = index
  const wanted = new Uint32Array(wants.length)
  for (let at = 0; at < wants.length; at++) {
    parseHexInto(wants[at]!, id)
    const rank = index.find(id)
    if (rank < 0) return false
    wanted[at] = positions[rank]!
  }
  return isWithin(reachability.tips, wanted.sort())
}

/** Whether no tag that is elsewhere would have to come along with the objects of a pack. */
function hasItsTags(view: ObjectView, pack: ReachablePackFile, tags: readonly IncludedTag[]): boolean {
  const digest = digestTags(view, tags)
  const known = view.requests.tagsWithin.get(pack, digest)
  if (known !== undefined) return known
  const id = new Uint8Array(view.format.idLength)
  const has = (text: ObjectId): boolean => {
    parseHexInto(text, id)
    return pack.index.find(id) >= 0
  }
  const answer = tags.every((tag) => tag.peeled === undefined || has(tag.id) || !has(tag.peeled))
  view.requests.tagsWithin.set(pack, digest, answer)
  return answer
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
