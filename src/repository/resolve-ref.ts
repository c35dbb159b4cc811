import type { ObjectId } from '../object/object-id.ts'
import type { RepositoryStorage } from '../storage/repository-storage.ts'

/** How many symbolic refs are followed before it counts as a circle; git's number. */
const MAX_SYMBOLIC_DEPTH = 5

/** What HEAD usually names: read along with it, which saves a round trip where refs are far away. */
const USUAL_BRANCHES: readonly string[] = ['refs/heads/main', 'refs/heads/master']

/** The id a ref leads to, symbolic refs followed; `undefined` when it leads nowhere. */
export function resolveRef(storage: RepositoryStorage, name: string): Promise<ObjectId | undefined> {
  return resolveFirstRef(storage, [name])
}

/** The id that the first of these refs that is there leads to; `undefined` when none is, or it leads nowhere. */
export async function resolveFirstRef(
  storage: RepositoryStorage,
  names: readonly string[],
): Promise<ObjectId | undefined> {
  const asked = names.includes('HEAD') ? [...names, ...USUAL_BRANCHES] : names
  const stored = await storage.readRefs(asked)
  const known = new Map(asked.map((name, at) => [name, stored[at]]))
  let ref = stored.slice(0, names.length).find((one) => one !== undefined)
  for (let depth = 0; depth <= MAX_SYMBOLIC_DEPTH; depth++) {
    if (ref === undefined) return undefined
    if (ref.target.kind === 'direct') return ref.target.id
    const { target } = ref.target
    ref = known.has(target) ? known.get(target) : (await storage.readRefs([target]))[0]
  }
  return undefined
}
