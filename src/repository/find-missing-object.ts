import { isGitError } from '../errors.ts'
import { CommitTable } from '../graph/commit-table.ts'
import { enumerateObjects } from '../graph/enumerate-objects.ts'
import { IdTable } from '../object/id-table.ts'
import { encodeObjectId, parseObjectId, type ObjectId } from '../object/object-id.ts'
import { readObject } from '../object/object-reader.ts'
import { COMMIT, TAG } from '../object/object-type.ts'
import { parseTagTarget } from '../object/tag-target.ts'
import type { ObjectView } from '../odb/object-view.ts'
import type { PackIndex } from '../pack/pack-index.ts'
import type { RepositoryStorage } from '../storage/repository-storage.ts'
import { findReliedPacks } from './relied-packs.ts'
import { findUnpromised, isPartialClone, type MissingObject } from './find-unpromised.ts'

/**
 * Checks that everything the tips reach is present: the first missing object, or `undefined`.
 *
 * What existing refs reach is taken as complete. Where history leaves the received pack at commits that refs name directly, only
 * those are looked at, so that a push of one commit into a repository of a hundred thousand refs looks at one ref.
 *
 * @param received the index of the pack in quarantine.
 * @param relied is given the packs that hold what the tips need and no ref keeps alive.
 */
export async function findMissingObject(
  view: ObjectView,
  storage: RepositoryStorage,
  tips: readonly ObjectId[],
  received: PackIndex | undefined,
  relied: Set<string> = new Set(),
): Promise<MissingObject | undefined> {
  const refs = await storage.listRefs('refs/')
  const named = new Set<ObjectId>()
  for (const { target } of refs) if (target.kind === 'direct') named.add(target.id)
  const wants = tips.filter((tip) => !named.has(tip)).map((tip) => parseObjectId(tip, view.format))
  if (wants.length === 0) return undefined
  if (isPartialClone(view)) return findUnpromised(view, wants, named)
  return catchMissing(async () => {
    const edge = await receivedEdge(view, wants, received)
    const near = edge.every((id) => named.has(encodeObjectId(id, 0, view.format)))
    const haves = near ? edge : [...named].map((id) => parseObjectId(id, view.format))
    const enumeration = await enumerateObjects(view, { wants, haves, verifyBlobs: true })
    for (const name of findReliedPacks(view, enumeration, received)) relied.add(name)
  })
}

/** Like {@link findMissingObject}, taking nothing as complete: looks at everything that the tips reach in the view. */
export async function findMissingAnywhere(
  view: ObjectView,
  tips: readonly ObjectId[],
): Promise<MissingObject | undefined> {
  const wants = tips.map((tip) => parseObjectId(tip, view.format))
  if (isPartialClone(view)) return findUnpromised(view, wants, new Set())
  return catchMissing(async () => {
    await enumerateObjects(view, { wants, haves: [], verifyBlobs: true })
  })
}

async function catchMissing(walk: () => Promise<void>): Promise<MissingObject | undefined> {
  try {
    await walk()
    return undefined
  } catch (error) {
    if (!isGitError(error, 'MISSING_OBJECT')) throw error
    const { id, type, neededBy } = error.details
    return {
      missing: String(id),
      type: typeof type === 'string' ? type : 'object',
      ...(typeof neededBy === 'string' ? { neededBy } : {}),
    }
  }
}

/**
 * Raw ids of the objects outside the received pack that commits and tags inside it, from the tips on, lead to. Reads no commit whose links
 * are written down: of a large pack they lie far apart.
 */
async function receivedEdge(
  view: ObjectView,
  tips: readonly Uint8Array[],
  received: PackIndex | undefined,
): Promise<Uint8Array[]> {
  const edge: Uint8Array[] = []
  const commits = new CommitTable(view)
  const seen = new IdTable(view.format.idLength)
  const stack = [...tips]
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    const count = seen.size
    if (seen.add(id) !== count) continue
    if (received === undefined || received.find(id) < 0) {
      edge.push(id)
      continue
    }
    const type = view.tryType(id) ?? (await readObject(view, id))?.type
    if (type === COMMIT) {
      const commit = commits.add(id)
      if (!commits.tryLoad(commit)) await commits.load([commit])
      for (const parent of commits.parents(commit)) stack.push(commits.ids.id(parent))
    } else if (type === TAG) {
      const object = await readObject(view, id)
      if (object !== null) stack.push(parseTagTarget(object.body, view.format).id)
    }
  }
  return edge
}
