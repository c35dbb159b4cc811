import type { PackedRefs } from '../../refs/packed-refs.ts'
import type { RefSnapshot } from '../../refs/ref-transaction.ts'
import type { Ref, RefTarget } from '../../refs/ref.ts'
import { mapInParallel } from './in-parallel.ts'
import { isStoredRefName, listLooseNames, readLooseRef, type LooseRefPlace } from './loose-refs.ts'

/** The stored refs around the names of a transaction. */
export interface StoredRefSnapshot extends RefSnapshot {
  find(name: string): Ref | undefined
  /** The value of the ref's own file, where it has one. */
  findLoose(name: string): RefTarget | undefined
}

/**
 * Reads all that judging edits of these refs asks for: their values, the refs that may be in the way above them and
 * those below. Everything else is only known as far as packed-refs has it.
 */
export async function readRefSnapshot(
  place: LooseRefPlace,
  packed: PackedRefs,
  names: readonly string[],
): Promise<StoredRefSnapshot> {
  const loose = new Map<string, RefTarget>()
  const directories: string[] = []
  const inside = new Map<string, readonly string[]>()
  const around = new Set([...names, ...names.flatMap(parentNames)])
  await mapInParallel([...around].filter(isStoredRefName), async (name) => {
    const entry = await readLooseRef(place, name)
    if (entry.kind === 'ref') loose.set(name, entry.target)
    else if (entry.kind === 'directory') directories.push(name)
  })
  const edited = new Set(names)
  for (const name of directories) {
    if (edited.has(name)) inside.set(`${name}/`, await listLooseNames(place, `${name}/`))
  }
  return {
    find(name) {
      const target = loose.get(name)
      return target === undefined ? packed.find(name) : { name, target }
    },
    findLoose: (name) => loose.get(name),
    *names(directory) {
      yield* inside.get(directory) ?? []
      yield* packed.names(directory)
    },
  }
}

/** `refs/heads/a/b` → `refs`, `refs/heads`, `refs/heads/a`. */
function parentNames(name: string): string[] {
  const parents: string[] = []
  for (let slash = name.indexOf('/'); slash >= 0; slash = name.indexOf('/', slash + 1)) {
    parents.push(name.slice(0, slash))
  }
  return parents
}
