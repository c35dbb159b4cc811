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
  const { tags, id: last, type } = await follow(reader, id)
  if (type !== undefined) return { tags, id: last, type }
  const hex = encodeObjectId(last, 0, reader.format)
  const tag = tags.at(-1)
  const neededBy = tag === undefined ? undefined : encodeObjectId(tag, 0, reader.format)
  const message = `object ${hex} is missing${neededBy === undefined ? '' : `, needed by tag ${neededBy}`}`
  throw new GitError('MISSING_OBJECT', message, { details: { id: hex, neededBy } })
}

/** Like {@link peel}, `undefined` when an object on the way is absent. */
export async function peelPresent(reader: ObjectSource, id: Uint8Array): Promise<Peeled | undefined> {
  const { tags, id: last, type } = await follow(reader, id)
  return type === undefined ? undefined : { tags, id: last, type }
}

/** Where the tags from an object on lead; without a type when that is absent. */
type Followed = Omit<Peeled, 'type'> & { readonly type: ObjectType | undefined }

async function follow(reader: ObjectSource, id: Uint8Array): Promise<Followed> {
  const tags: Uint8Array[] = []
  for (let current = id; ;) {
    const type = writtenType(reader, current)
    if (type !== undefined && type !== TAG) return { tags, id: current, type }
    const object = await readObject(reader, current)
    if (object === null) return { tags, id: current, type: undefined }
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
