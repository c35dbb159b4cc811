import { GitError } from '../errors.ts'
import { readObject } from '../object/object-reader.ts'
import { COMMIT, TAG, type ObjectType } from '../object/object-type.ts'
import { parseTagTarget } from '../object/tag-target.ts'
import type { ObjectSource } from './object-source.ts'
import { encodeObjectId } from '../object/object-id.ts'

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
export async function peel(reader: ObjectSource, id: Uint8Array): Promise<Peeled> {
  const peeled = await peelPresent(reader, id)
  if (peeled !== undefined) return peeled
  const hex = encodeObjectId(id, 0, reader.format)
  throw new GitError('MISSING_OBJECT', `object ${hex}, or what it tags, is missing`, { details: { id: hex } })
}

/** Like {@link peel}, `undefined` when an object on the way is absent. */
export async function peelPresent(reader: ObjectSource, id: Uint8Array): Promise<Peeled | undefined> {
  const tags: Uint8Array[] = []
  for (let current = id; ;) {
    const type = writtenType(reader, current)
    if (type !== undefined && type !== TAG) return { tags, id: current, type }
    const object = await readObject(reader, current)
    if (object === null) return undefined
    if (object.type !== TAG) return { tags, id: current, type: object.type }
    tags.push(current)
    current = parseTagTarget(object.body, reader.format).id
  }
}

/** Raw ids of the commits that the given ids finally name; what is absent or names no commit is left out. */
export async function peelToCommits(reader: ObjectSource, ids: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const commits: Uint8Array[] = []
  for (const id of ids) {
    const peeled = await peelPresent(reader, id)
    if (peeled?.type === COMMIT) commits.push(peeled.id)
  }
  return commits
}

/** The type of an object where its pack has it written down. */
function writtenType({ reachability }: ObjectSource, id: Uint8Array): ObjectType | undefined {
  const node = reachability.find(id)
  return node === undefined ? undefined : reachability.packs[node.pack]!.reachability.type(node.position)
}
