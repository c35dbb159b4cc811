import { parsePackedRefs, type PackedRefs } from '../../refs/packed-refs.ts'
import { compareRefNames } from '../../refs/ref-name.ts'
import type { Ref, RefTarget } from '../../refs/ref.ts'
import { CachedFile } from './cached-file.ts'
import type { FileSystem } from './file-system.ts'
import { mapInParallel } from './in-parallel.ts'
import { acquireLock, lockedError } from './lock-file.ts'
import type { GitDirectory } from './git-directory.ts'
import {
  isStoredRefName,
  listLooseRefs,
  readLooseRef,
  type ListedRef,
  type LooseRefPlace,
} from './loose-refs.ts'

/** How often a reading is tried again while packed-refs changes under it, before that is kept from happening. */
const FREE_ATTEMPTS = 8

/**
 * Reads refs out of loose files and packed-refs, where the loose value counts.
 *
 * A reader must not see half of a transaction. Every transaction over several refs begins and ends by replacing
 * packed-refs (see `applyPacked`), and so does `git pack-refs` before it removes loose files. A reading of several
 * refs therefore counts only when packed-refs was the same file before and after.
 */
export class RefReader {
  readonly place: LooseRefPlace
  readonly packed: CachedFile<PackedRefs>

  /** @param packed the same file read by another reader, to share what is parsed of it. */
  constructor(place: LooseRefPlace, packed?: CachedFile<PackedRefs>) {
    this.place = place
    this.packed =
      packed ??
      new CachedFile(place.fs, `${place.path}/packed-refs`, (bytes) =>
        parsePackedRefs(bytes, place.hexLength),
      )
  }

  /** A reader of the same refs through another view of the file system. */
  through(fs: FileSystem): RefReader {
    return new RefReader({ ...this.place, fs }, this.packed.through(fs))
  }

  /** One ref. The loose file is read first: whoever removes one has put its value into packed-refs before. */
  async read(name: string): Promise<Ref | undefined> {
    if (!isStoredRefName(name)) return undefined
    const entry = await readLooseRef(this.place, name)
    if (entry.kind === 'ref') return { name, target: entry.target }
    if (!name.startsWith('refs/')) return undefined
    const packed = await this.packed.read()
    return packed.find(name)
  }

  /** Several refs, as they were at one moment. */
  async readAll(
    names: readonly string[],
    directory: () => Promise<GitDirectory>,
  ): Promise<(Ref | undefined)[]> {
    const [only] = names
    if (only === undefined) return []
    if (names.length === 1) return [await this.read(only)]
    return this.#atOneMoment(directory, (packed) =>
      mapInParallel(names, async (name) => {
        if (!isStoredRefName(name)) return undefined
        const entry = await readLooseRef(this.place, name)
        return entry.kind === 'ref' ? { name, target: entry.target } : packed.find(name)
      }),
    )
  }

  /** All refs whose names begin with `prefix`, in byte order, as they were at one moment. */
  async list(prefix: string, directory: () => Promise<GitDirectory>): Promise<Ref[]> {
    return this.#atOneMoment(directory, async (packed) => {
      const loose = await listLooseRefs(this.place, prefix)
      loose.sort((left, right) => compareRefNames(left.name, right.name))
      return mergeRefs(
        loose,
        packed.list(prefix).filter((ref) => ref.name.startsWith('refs/')),
      )
    })
  }

  async #atOneMoment<T>(
    directory: () => Promise<GitDirectory>,
    reading: (packed: PackedRefs) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 0; attempt < FREE_ATTEMPTS; attempt++) {
      const pinned = await this.packed.pin()
      try {
        const result = await reading(pinned.value)
        if (await pinned.isCurrent()) return result
      } finally {
        await pinned.close()
      }
    }
    const lock = await acquireLock(await directory(), this.packed.path, { timeout: 1000 })
    if (lock === undefined) throw lockedError(this.packed.path)
    try {
      return await reading(await this.packed.read())
    } finally {
      await lock.release()
    }
  }
}

/** Merges two sorted lists; of two refs with one name the loose one counts. Keeps what packed-refs knows about tags. */
function mergeRefs(loose: readonly ListedRef[], packed: readonly Ref[]): Ref[] {
  if (loose.length === 0) return [...packed]
  const merged: Ref[] = []
  let at = 0
  for (const { name, target } of loose) {
    for (; at < packed.length && compareRefNames(packed[at]!.name, name) < 0; at++) merged.push(packed[at]!)
    const same = packed[at]?.name === name ? packed[at++] : undefined
    if (target === undefined) continue
    merged.push(same !== undefined && isSameTarget(same.target, target) ? same : { name, target })
  }
  for (; at < packed.length; at++) merged.push(packed[at]!)
  return merged
}

/** Tells whether two refs hold the same value. */
export function isSameTarget(left: RefTarget, right: RefTarget): boolean {
  return left.kind === 'direct'
    ? right.kind === 'direct' && left.id === right.id
    : right.kind === 'symbolic' && left.target === right.target
}
