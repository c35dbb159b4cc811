import { GitError } from '../errors.ts'
import { readObject } from '../object/object-reader.ts'
import { COMMIT, TAG, type ObjectType } from '../object/object-type.ts'
import { parseTagTarget } from '../object/tag-target.ts'
import type { ObjectSource } from './object-source.ts'
import { encodeObjectId, type ObjectId } from '../object/object-id.ts'

/** What a tag finally names, and the tag objects on the way. */
export interface Peeled {
  /** Raw ids of the tag objects, outermost first; empty when the object is no tag. */
  readonly tags: readonly Uint8Array[]
  /** Raw id of the object that is not a tag. */
  readonly id: Uint8Array
  readonly type: ObjectType
}

/**
 * Follows tags to the object they finally name.
 *
 * @throws GitError `MISSING_OBJECT`, `CORRUPT_OBJECT`
 */
export async function peel(source: ObjectSource, id: Uint8Array): Promise<Peeled> {
  const [peeled] = await peelAll(source, [id])
  return peeled!
}

/** Like {@link peel}, `undefined` when an object on the way is absent. */
export async function peelPresent(source: ObjectSource, id: Uint8Array): Promise<Peeled | undefined> {
  const [peeled] = await peelAllPresent(source, [id])
  return peeled
}

/**
 * Like {@link peel} for many objects; what is not resident is fetched together.
 *
 * @throws GitError `MISSING_OBJECT`, `CORRUPT_OBJECT`
 */
export async function peelAll(source: ObjectSource, ids: readonly Uint8Array[]): Promise<readonly Peeled[]> {
  const all = await peelAllPresent(source, ids)
  const peeled: Peeled[] = []
  for (const [at, one] of all.entries()) {
    if (one === undefined) throw await missingObject(source, ids[at]!)
    peeled.push(one)
  }
  return peeled
}

/** Says which object is absent: this one, or the one that a tag on the way names. */
async function missingObject(source: ObjectSource, id: Uint8Array): Promise<GitError> {
  let absent = id
  let neededBy: ObjectId | undefined
  let object = await readObject(source, absent)
  while (object?.type === TAG) {
    neededBy = encodeObjectId(absent, 0, source.format)
    absent = parseTagTarget(object.body, source.format).id
    object = await readObject(source, absent)
  }
  const hex = encodeObjectId(absent, 0, source.format)
  const by = neededBy === undefined ? '' : `, which tag ${neededBy} names`
  return new GitError('MISSING_OBJECT', `object ${hex}${by} is missing`, { details: { id: hex, neededBy } })
}

/** Like {@link peelPresent} for many objects, in their order. */
export async function peelAllPresent(
  source: ObjectSource,
  ids: readonly Uint8Array[],
): Promise<readonly (Peeled | undefined)[]> {
  const peeled = new Array<Peeled | undefined>(ids.length).fill(undefined)
  let open = ids.map((id, at) => ({ at, id, tags: [] as Uint8Array[] }))
  while (open.length > 0) {
    const waiting = open.filter((item) => {
      for (;;) {
        const type = source.tryType(item.id)
        if (type === null) return false
        if (type !== undefined && type !== TAG) {
          peeled[item.at] = { tags: item.tags, id: item.id, type }
          return false
        }
        const object = type === undefined ? undefined : source.tryRead(item.id)
        if (object === null) return false
        if (object === undefined) return true
        item.tags.push(item.id)
        item.id = parseTagTarget(object.body, source.format).id
      }
    })
    if (waiting.length > 0) await source.settle()
    open = waiting
  }
  return peeled
}

/** Raw ids of the commits that the given ids finally name; what is absent or names no commit is left out. */
export async function peelToCommits(source: ObjectSource, ids: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const all = await peelAllPresent(source, ids)
  return all.flatMap((peeled) => (peeled?.type === COMMIT ? [peeled.id] : []))
}
