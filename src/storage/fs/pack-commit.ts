import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeUtf8 } from '../../bytes/text.ts'
import { GitError } from '../../errors.ts'
import { assertPackName } from '../pack-name.ts'
import type { NewPack } from '../repository-storage.ts'
import { hasErrno, isAbsent } from './errno.ts'
import type { FileSystem } from './file-system.ts'
import { whileDropsWait } from './maintenance/drop-lock.ts'
import { removeFile, syncDirectory, writeNewFile, type GitDirectory } from './git-directory.ts'
import { isPackName, packPath } from './pack-directory.ts'
import { isKeptAsPartial, removePackMask } from './pack-masks.ts'
import { FsStagedFile } from './staged-file.ts'

/** How long a pack may be without its index before it counts as abandoned, in milliseconds. */
const ORPHAN_AFTER = 1000

/** A pack of a commit, with its files known to be ours. */
interface PackToPlace {
  readonly name: string
  readonly pack: FsStagedFile
  readonly index: FsStagedFile
  readonly promisor: boolean
}

/** Packs that are in place while the refs that name their objects are not yet. */
export interface PlacedPacks {
  /** Puts back what somebody removed meanwhile, lets git collect the packs again, and drops staged files not needed. */
  finish(): Promise<void>
  /** Lets git collect the packs again, after a failure. The staged files that were not taken stay. */
  abandon(): Promise<void>
}

/**
 * Checks the packs of a commit.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function assertNewPacks(directory: GitDirectory, packs: readonly NewPack[]): PackToPlace[] {
  return packs.map(({ name, pack, index, promisor }) => {
    assertPackName(name)
    if (!isStaged(directory, pack, 'pack') || !isStaged(directory, index, 'idx')) {
      throw new GitError(
        'INVALID_ARGUMENT',
        `the files of ${name} are not a staged pack and index of the repository at ${directory.path}`,
      )
    }
    return { name, pack, index, promisor: promisor === true }
  })
}

function isStaged(
  directory: GitDirectory,
  file: NewPack['pack'],
  kind: FsStagedFile['kind'],
): file is FsStagedFile {
  return file instanceof FsStagedFile && file.kind === kind && file.isStagedIn(directory)
}

/**
 * Makes packs visible: the pack first, then its index, which is what readers look for. A `.keep` file holds off a
 * concurrent `git repack` until the refs name the new objects. A pack that is there already stays, is freshened, and loses its mask.
 */
export async function placePacks(
  directory: GitDirectory,
  packs: readonly PackToPlace[],
): Promise<PlacedPacks> {
  const objects = join(directory.path, 'objects')
  const keeps: string[] = []
  const abandon = async (): Promise<void> => {
    for (const keep of keeps.splice(0)) await removeFile(directory.fs, keep)
  }
  const place = async ({ name, pack, index, promisor }: PackToPlace): Promise<void> => {
    if (promisor) await writeIfAbsent(directory, packPath(objects, name, 'promisor'), '')
    const path = packPath(objects, name, 'pack')
    const deadline = Date.now() + ORPHAN_AFTER
    for (;;) {
      if (await freshenIfThere(directory.fs, objects, name)) return
      if (await pack.linkTo(path)) break
      // A pack without an index: somebody is placing it at this moment, or has died while doing so.
      if (Date.now() < deadline) {
        await sleep(5)
      } else {
        await pack.renameTo(path)
        break
      }
    }
    await index.renameTo(packPath(objects, name, 'idx'))
    await syncDirectory(directory, join(objects, 'pack'))
  }
  try {
    for (const pack of packs) {
      const keep = packPath(objects, pack.name, 'keep')
      await removePackMask(directory, pack.name)
      // It holds off who is there at the same time, and need not outlast a crash. When there is one already, it is somebody else's, and
      // stays.
      const fleeting = { ...directory, durable: false }
      if (await writeIfAbsent(fleeting, keep, `packstone receive ${process.pid}\n`)) keeps.push(keep)
      await place(pack)
    }
  } catch (error) {
    await abandon()
    throw error
  }
  const finish = async (): Promise<void> => {
    try {
      for (const pack of packs) if (pack.index.isStagedIn(directory)) await place(pack)
    } finally {
      await abandon()
    }
    for (const { pack, index } of packs) {
      await pack.discard()
      await index.discard()
    }
  }
  return { finish, abandon }
}

/** False when there is a file of this name already, which stays as it is. */
async function writeIfAbsent(directory: GitDirectory, path: string, text: string): Promise<boolean> {
  try {
    await writeNewFile(directory, path, encodeUtf8(text))
    return true
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return false
    throw error
  }
}

async function freshenIfThere(fs: FileSystem, objects: string, name: string): Promise<boolean> {
  const now = new Date()
  try {
    await fs.stat(packPath(objects, name, 'idx'))
    await fs.utimes(packPath(objects, name, 'pack'), now, now)
    return true
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

/**
 * Removes packs of this repository's own, the index first so that nobody begins to use them. Unknown names are
 * ignored, and so are packs with a `.keep` that is not the mark of a partial pack: whoever wrote it may be about to make refs name
 * their objects.
 *
 * @param onlyBefore keep packs that were written or freshened at this moment or later.
 */
export async function dropPackFiles(
  directory: GitDirectory,
  names: readonly string[],
  onlyBefore?: number,
): Promise<void> {
  if (names.length === 0) return
  if (onlyBefore === undefined) return removePackFiles(directory, names)
  await whileDropsWait(directory, async () => {
    const old: string[] = []
    for (const name of names)
      if (isPackName(name) && (await modifiedAt(directory, name)) < onlyBefore) old.push(name)
    await removePackFiles(directory, old)
  })
}

/** When a pack of this repository's own was last written or freshened; never, for one that is not there. */
async function modifiedAt({ fs, path }: GitDirectory, name: string): Promise<number> {
  try {
    return (await fs.stat(packPath(join(path, 'objects'), name, 'pack'))).mtimeMs
  } catch (error) {
    if (isAbsent(error)) return Infinity
    throw error
  }
}

async function removePackFiles(directory: GitDirectory, names: readonly string[]): Promise<void> {
  const folder = join(directory.path, 'objects', 'pack')
  const files = await directory.fs.readdir(folder)
  const present = new Set(files)
  const objects = join(directory.path, 'objects')
  const dropped: string[] = []
  for (const name of names) {
    if (!isPackName(name) || !present.has(`${name}.pack`)) continue
    const isFree = !present.has(`${name}.keep`) || (await isKeptAsPartial(directory.fs, objects, name))
    if (isFree) dropped.push(name)
  }
  if (dropped.length === 0) return
  // A multi-pack-index may name a dropped pack. It and what belongs to it are derived: git writes them anew.
  await removeFile(directory.fs, join(folder, 'multi-pack-index'))
  await directory.fs.rm(join(folder, 'multi-pack-index.d'), { recursive: true, force: true })
  for (const file of files.filter((name) => name.startsWith('multi-pack-index-'))) {
    await removeFile(directory.fs, join(folder, file))
  }
  for (const name of dropped) {
    await removeFile(directory.fs, join(folder, `${name}.idx`))
    const others = files.filter((file) => file.startsWith(`${name}.`) && !/\.(idx|pack|keep)$/.test(file))
    for (const file of others) await removeFile(directory.fs, join(folder, file))
    await removeFile(directory.fs, join(folder, `${name}.pack`))
    await removePackMask(directory, name)
  }
  await syncDirectory(directory, folder)
}
