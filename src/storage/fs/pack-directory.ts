import { constants } from 'node:fs'
import { join } from 'node:path'
import { GitError } from '../../errors.ts'
import type { PackDescription, PackFileKind } from '../repository-storage.ts'
import { isAbsent } from './errno.ts'
import type { FileSystem, OpenFile } from './file-system.ts'
import { mapInParallel } from './in-parallel.ts'
import { listPartialPacks } from './pack-masks.ts'

/** How often a directory is read again because packs in it went away meanwhile. */
const ATTEMPTS = 10

/**
 * Lists the packs in these object directories: each `.idx` whose `.pack` is there. Of packs with one name the first
 * counts. Nothing is cached: the directory is read anew, so that no change can be missed.
 */
export async function listPackDescriptions(
  fs: FileSystem,
  objectDirectories: readonly string[],
): Promise<PackDescription[]> {
  const packs = new Map<string, PackDescription>()
  for (const [number, directory] of objectDirectories.entries()) {
    for (const pack of await describePacks(fs, directory)) {
      if (!packs.has(pack.name)) packs.set(pack.name, number === 0 ? pack : { ...pack, pinned: 'borrowed' })
    }
  }
  return [...packs.values()]
}

/** The names of the packs in these object directories: each with an `.idx` and a `.pack`. */
export async function listPackNames(
  fs: FileSystem,
  objectDirectories: readonly string[],
): Promise<Set<string>> {
  const lists = await mapInParallel(objectDirectories, (directory) =>
    listDirectory(fs, join(directory, 'pack')),
  )
  return new Set(lists.flatMap((files) => packNames(new Set(files))))
}

function packNames(files: ReadonlySet<string>): string[] {
  return [...files]
    .filter((file) => file.endsWith('.idx'))
    .map((file) => file.slice(0, -'.idx'.length))
    .filter((name) => files.has(`${name}.pack`))
}

/**
 * A pack that is removed while it is looked at has a successor that may have come after the directory was read: the directory is
 * then read again, or the list would show neither. What is still not there in the end (a dangling link) is left out.
 */
async function describePacks(fs: FileSystem, objectDirectory: string): Promise<PackDescription[]> {
  for (let attempt = 1; ; attempt++) {
    const files = new Set(await listDirectory(fs, join(objectDirectory, 'pack')))
    const names = packNames(files)
    const partial = await listPartialPacks(fs, objectDirectory, files)
    const described = await mapInParallel(names, async (name): Promise<PackDescription | undefined> => {
      const description = await describePack(fs, objectDirectory, name)
      return (
        description && {
          ...description,
          ...(partial.has(name) ? { partial: true } : files.has(`${name}.keep`) ? { pinned: 'kept' } : {}),
          ...(files.has(`${name}.mtimes`) ? { cruft: true } : {}),
          ...(files.has(`${name}.promisor`) ? { promisor: true } : {}),
        }
      )
    })
    const present = described.filter((pack) => pack !== undefined)
    if (present.length === names.length || attempt === ATTEMPTS) return present
  }
}

/** Undefined when the pack has just been removed. */
async function describePack(
  fs: FileSystem,
  objectDirectory: string,
  name: string,
): Promise<PackDescription | undefined> {
  const path = join(objectDirectory, 'pack', name)
  try {
    const [pack, index] = await Promise.all([fs.stat(`${path}.pack`), fs.stat(`${path}.idx`)])
    return { name, packSize: pack.size, indexSize: index.size, modified: pack.mtimeMs }
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

/**
 * Opens a file of a pack in the first object directory that has it.
 *
 * @throws GitError `NOT_FOUND`
 */
export async function openPackPath(
  fs: FileSystem,
  objectDirectories: readonly string[],
  name: string,
  kind: PackFileKind,
): Promise<{ readonly file: OpenFile; readonly path: string; readonly size: number }> {
  for (const directory of isPackName(name) ? objectDirectories : []) {
    const path = packPath(directory, name, kind)
    try {
      const file = await fs.open(path, constants.O_RDONLY)
      return { file, path, size: (await file.stat()).size }
    } catch (error) {
      if (!isAbsent(error)) throw error
    }
  }
  throw new GitError('NOT_FOUND', `${name}.${kind} is not there (any more); list the packs again`, {
    details: { pack: name, kind },
  })
}

/** Marks packs as used just now, wherever they are. Unknown names are ignored. */
export async function freshenPackFiles(
  fs: FileSystem,
  objectDirectories: readonly string[],
  names: readonly string[],
): Promise<void> {
  const now = new Date()
  await mapInParallel(names.filter(isPackName), async (name) => {
    for (const directory of objectDirectories) {
      try {
        await fs.utimes(packPath(directory, name, 'pack'), now, now)
        return
      } catch (error) {
        if (!isAbsent(error)) throw error
      }
    }
  })
}

/** Path of a pack's file in an object directory; `kind` is the file's extension. */
export function packPath(objectDirectory: string, name: string, kind: string): string {
  return join(objectDirectory, 'pack', `${name}.${kind}`)
}

/** Tells whether a name can be the base name of a pack: anything that stays within the directory. */
export function isPackName(name: string): boolean {
  return name !== '' && !name.startsWith('.') && !/[/\0]/.test(name)
}

async function listDirectory(fs: FileSystem, path: string): Promise<string[]> {
  try {
    return await fs.readdir(path)
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}
