import { isGitError } from '../../errors.ts'
import { parseObjectId, type ObjectId } from '../../object/object-id.ts'
import { hasObject } from '../../object/object-reader.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import type { PackFile } from '../../odb/pack-file.ts'
import type { PackDescription } from '../../storage/repository-storage.ts'
import type { Repository } from '../repository.ts'
import { readPackNote, type PackNote } from './pack-note.ts'

/** A pack as maintenance sees it. */
export interface MaintainedPack {
  readonly description: PackDescription
  readonly file: PackFile
  readonly note: PackNote | undefined
}

/** A repository at one moment. */
export interface RepositoryState {
  readonly view: ObjectView
  /** Packs to work on. */
  readonly ordinary: readonly MaintainedPack[]
  /** Packs of objects that nothing reached when they were made. */
  readonly unreachable: readonly MaintainedPack[]
  /** Packs that are left as they are: kept by somebody, borrowed from another repository, or of a partial clone. */
  readonly pinned: readonly MaintainedPack[]
  /** Ids of loose objects, raw and side by side. */
  readonly loose: Uint8Array
}

/** How often the packs are looked at again because the list changed meanwhile. */
const ATTEMPTS = 10

/** Looks at the packs and loose objects of a repository. Close the view when done. */
export async function readState(repository: Repository): Promise<RepositoryState> {
  const { storage } = repository
  for (let attempt = 1; ; attempt++) {
    // Loose objects come first: who packs them adds the pack before removing them.
    const loose = (await storage.loose?.list()) ?? new Uint8Array(0)
    const view = await repository.openView()
    try {
      const listed = await storage.listPacks()
      const files = new Map(view.packs.map((file) => [file.name, file]))
      if (listed.every(({ name }) => files.has(name)) || attempt === ATTEMPTS) {
        const packs = await Promise.all(
          listed.map(async (description) => {
            const file = files.get(description.name)
            if (file === undefined) return undefined
            const note = await readPackNote(storage, description.name)
            return { description, file, note }
          }),
        )
        return { view, loose, ...sortPacks(packs.filter((pack) => pack !== undefined)) }
      }
    } catch (error) {
      await view.close()
      throw error
    }
    await view.close()
  }
}

function sortPacks(
  packs: readonly MaintainedPack[],
): Pick<RepositoryState, 'ordinary' | 'unreachable' | 'pinned'> {
  const isPinned = ({ description }: MaintainedPack): boolean =>
    description.pinned !== undefined || description.promisor === true
  const isUnreachable = ({ description, note }: MaintainedPack): boolean =>
    description.cruft === true || note?.kind === 'unreachable'
  const free = packs.filter((pack) => !isPinned(pack))
  return {
    ordinary: free.filter((pack) => !isUnreachable(pack)),
    unreachable: free.filter(isUnreachable),
    pinned: packs.filter(isPinned),
  }
}

/** From where objects are reached, and whether that is known completely. */
export interface Roots {
  readonly ids: readonly ObjectId[]
  /** Ids that refs name, without those that only a log or the like keeps alive. */
  readonly refIds: readonly ObjectId[]
  /** Why nothing may be removed for good, where that is so. */
  readonly incomplete: string | undefined
}

/** Reads what keeps objects alive: refs, HEAD, and what else the layout knows of. To be called after the state was read. */
export async function readRoots(repository: Repository, view: ObjectView): Promise<Roots> {
  const { storage, format } = repository
  const [refs, heads] = await Promise.all([storage.listRefs('refs/'), storage.readRefs(['HEAD'])])
  const refIds = new Set<ObjectId>()
  for (const ref of [...heads, ...refs]) if (ref?.target.kind === 'direct') refIds.add(ref.target.id)
  const ids = new Set(refIds)
  const others = await storage.maintenance?.listRoots?.()
  for (const id of others?.ids ?? []) {
    if (!ids.has(id) && (await isThere(view, parseObjectId(id, format)))) ids.add(id)
  }
  return { ids: [...ids], refIds: [...refIds], incomplete: others?.incomplete }
}

/** Logs outlive what they name; what cannot be read is not kept alive by them either. */
async function isThere(view: ObjectView, id: Uint8Array): Promise<boolean> {
  try {
    return await hasObject(view, id)
  } catch (error) {
    if (isGitError(error, 'CORRUPT_OBJECT')) return false
    throw error
  }
}
