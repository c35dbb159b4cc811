import { dirname, join } from 'node:path'
import { decodeUtf8, encodeUtf8 } from '../../bytes/text.ts'
import { GitError } from '../../errors.ts'
import { isAbsent } from './errno.ts'
import type { FileSystem } from './file-system.ts'
import {
  makeDurableDirectories,
  readFileIfThere,
  removeFile,
  syncDirectory,
  writeNewFile,
} from './git-directory.ts'
import type { GitDirectory } from './git-directory.ts'
import { mapInParallel } from './in-parallel.ts'
import { isThere } from './path-facts.ts'

/*
 * A partial pack has two marks, either of which is enough to know it by:
 *   packstone/<pack>.visible      the mask
 *   objects/pack/<pack>.keep      beginning with the words below. Git leaves a kept pack alone, so that its gc does not unpack the objects
 *                                 that are hidden here as loose ones, which would make them visible.
 * A pack that is marked as kept in this way and has no mask is damaged: nobody knows which of its objects are to be seen.
 */
const KEEP_WORDS = 'packstone partial'
const SUFFIX = '.visible'

function maskPath(objectDirectory: string, pack: string): string {
  return join(dirname(objectDirectory), 'packstone', pack + SUFFIX)
}

function keepPath(objectDirectory: string, pack: string): string {
  return join(objectDirectory, 'pack', `${pack}.keep`)
}

/** The names of the partial packs of one object directory. `files` are those in its directory of packs. */
export async function listPartialPacks(
  fs: FileSystem,
  objectDirectory: string,
  files: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const masks = await listFolder(fs, dirname(maskPath(objectDirectory, '')))
  const partial = new Set(
    masks.filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length)),
  )
  const kept = [...files]
    .filter((name) => name.endsWith('.keep'))
    .map((name) => name.slice(0, -'.keep'.length))
    .filter((name) => !partial.has(name))
  await mapInParallel(kept, async (name) => {
    if (await isKeptAsPartial(fs, objectDirectory, name)) partial.add(name)
  })
  return partial
}

/** Whether the `.keep` file of a pack says that it is partial. */
export async function isKeptAsPartial(
  fs: FileSystem,
  objectDirectory: string,
  pack: string,
): Promise<boolean> {
  const bytes = await readFileIfThere(fs, keepPath(objectDirectory, pack))
  return bytes !== undefined && decodeUtf8(bytes).startsWith(KEEP_WORDS)
}

/**
 * Reads the mask of a pack, in the first object directory that has the pack.
 *
 * @throws GitError `NOT_FOUND`, `CORRUPT_INDEX`
 */
export async function readPackMaskFile(
  fs: FileSystem,
  objectDirectories: readonly string[],
  pack: string,
): Promise<Uint8Array | undefined> {
  for (const directory of objectDirectories) {
    if (!(await isThere(fs, join(directory, 'pack', `${pack}.idx`)))) continue
    const path = maskPath(directory, pack)
    const mask = await readFileIfThere(fs, path)
    if (mask !== undefined || !(await isKeptAsPartial(fs, directory, pack))) return mask
    throw new GitError(
      'CORRUPT_INDEX',
      `${path} is lost, which says which objects of the pack are visible: restore it, or fork or clone the repository anew`,
      { details: { pack } },
    )
  }
  throw new GitError('NOT_FOUND', `${pack} is not there (any more); list the packs again`, {
    details: { pack },
  })
}

/** Marks a pack of a repository that nobody sees yet as partial. Names are durable once the directories are flushed. */
export async function writePackMask(directory: GitDirectory, pack: string, mask: Uint8Array): Promise<void> {
  const objects = join(directory.path, 'objects')
  const path = maskPath(objects, pack)
  await makeDurableDirectories(directory, dirname(path))
  await writeNewFile(directory, path, mask, { mode: 0o444 })
  const words = `${KEEP_WORDS}: only the objects in ../../packstone/${pack}${SUFFIX} are this repository's\n`
  await writeNewFile(directory, keepPath(objects, pack), encodeUtf8(words))
}

/** Takes both marks away from a pack: that is gone, or all of whose objects are to be visible. */
export async function removePackMask(directory: GitDirectory, pack: string): Promise<void> {
  const { fs } = directory
  const objects = join(directory.path, 'objects')
  // Without the mask the other mark means damage, so it goes first.
  if (await isKeptAsPartial(fs, objects, pack)) await removeFile(fs, keepPath(objects, pack))
  const path = maskPath(objects, pack)
  if (await removeFile(fs, path)) await syncDirectory(directory, dirname(path))
}

async function listFolder(fs: FileSystem, path: string): Promise<string[]> {
  try {
    return await fs.readdir(path)
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}
