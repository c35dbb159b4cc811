import type { ObjectId } from '../object/object-id.ts'
import type { RepositoryStorage } from '../storage/repository-storage.ts'

/** How many symbolic refs are followed before it counts as a circle; git's number. */
const MAX_SYMBOLIC_DEPTH = 5

/** The id a ref leads to, symbolic refs followed; `undefined` when it leads nowhere. */
export async function resolveRef(storage: RepositoryStorage, name: string): Promise<ObjectId | undefined> {
  let current = name
  for (let depth = 0; depth <= MAX_SYMBOLIC_DEPTH; depth++) {
    const [ref] = await storage.readRefs([current])
    if (ref === undefined) return undefined
    if (ref.target.kind === 'direct') return ref.target.id
    current = ref.target.target
  }
  return undefined
}
