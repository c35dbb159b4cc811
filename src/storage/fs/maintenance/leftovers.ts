import { join } from 'node:path'
import { isAbsent } from '../errno.ts'
import type { FileSystem } from '../file-system.ts'
import { removeFile, type GitDirectory } from '../git-directory.ts'

/** A temporary file that was not written to for so long was left by a process that died; git waits as long. */
const STALE_AFTER = 24 * 3_600_000

/**
 * Removes temporary files that dead processes left among packs and loose objects, and files beside packs that are gone.
 *
 * @returns how many.
 */
export async function removeLeftovers({ fs, path }: GitDirectory): Promise<number> {
  const objects = join(path, 'objects')
  let removed = 0
  for (const folder of await list(fs, objects)) {
    if (!/^(?:[0-9a-f]{2}|pack)$/.test(folder)) continue
    const files = await list(fs, join(objects, folder))
    const present = new Set(files)
    for (const file of files) {
      const isTemporary = file.startsWith('tmp_')
      if (!isTemporary && !(folder === 'pack' && isOrphan(file, present))) continue
      const place = join(objects, folder, file)
      if ((await isStale(fs, place)) && (await removeFile(fs, place))) removed++
    }
  }
  return removed
}

/** Whether a file belongs to a pack that is not there. An index without its pack is one as well; a pack without its index may be in the making. */
function isOrphan(file: string, present: ReadonlySet<string>): boolean {
  const [, pack] = /^(pack-[0-9a-f]+)\.(?:idx|rev|bitmap|mtimes|keep)$/.exec(file) ?? []
  return pack !== undefined && !present.has(`${pack}.pack`)
}

async function list(fs: FileSystem, folder: string): Promise<string[]> {
  try {
    return await fs.readdir(folder)
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}

async function isStale(fs: FileSystem, path: string): Promise<boolean> {
  try {
    return Date.now() - (await fs.stat(path)).mtimeMs > STALE_AFTER
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}
