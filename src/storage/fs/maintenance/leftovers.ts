import { join } from 'node:path'
import { decodeUtf8 } from '../../../bytes/text.ts'
import { isAbsent } from '../errno.ts'
import type { FileSystem } from '../file-system.ts'
import { readFileIfThere, removeFile, type GitDirectory } from '../git-directory.ts'
import { isOlderThan } from '../path-facts.ts'

/** A temporary file that was not written to for so long was left by a process that died; git waits as long. */
const STALE_AFTER = 24 * 3_600_000

/** Locks of derived files: held for as long as it takes to write one. */
const LOCKS = ['objects/info/commit-graph.lock', 'objects/pack/multi-pack-index.lock']

/**
 * Removes what dead processes left among packs and loose objects: temporary files, files beside packs that are gone, the `.keep` files by
 * which we hold off git while a pack is committed, locks of derived files.
 *
 * @returns how many.
 */
export async function removeLeftovers({ fs, path }: GitDirectory): Promise<number> {
  const objects = join(path, 'objects')
  let removed = 0
  for (const lock of LOCKS) {
    const place = join(path, lock)
    if ((await isOlderThan(fs, place, STALE_AFTER)) && (await removeFile(fs, place))) removed++
  }
  for (const folder of await list(fs, objects)) {
    if (!/^(?:[0-9a-f]{2}|pack)$/.test(folder)) continue
    const files = await list(fs, join(objects, folder))
    const present = new Set(files)
    for (const file of files) {
      const place = join(objects, folder, file)
      const isSuspect = file.startsWith('tmp_') || (folder === 'pack' && isOrphan(file, present))
      if (!isSuspect && !file.endsWith('.keep')) continue
      if (!(await isOlderThan(fs, place, STALE_AFTER)) || (!isSuspect && !(await isOurKeep(fs, place))))
        continue
      if (await removeFile(fs, place)) removed++
    }
  }
  return removed
}

/** Whether a file belongs to a pack that is not there. An index without its pack is one as well; a pack without its index may be in the making. */
function isOrphan(file: string, present: ReadonlySet<string>): boolean {
  const [, pack] = /^(pack-[0-9a-f]+)\.(?:idx|rev|bitmap|mtimes|keep)$/.exec(file) ?? []
  return pack !== undefined && !present.has(`${pack}.pack`)
}

/** Whether a `.keep` file is one of those that a commit writes beside the packs it places, and removes at its end. */
async function isOurKeep(fs: FileSystem, path: string): Promise<boolean> {
  const content = await readFileIfThere(fs, path)
  return content !== undefined && decodeUtf8(content).startsWith('packstone receive ')
}

async function list(fs: FileSystem, folder: string): Promise<string[]> {
  try {
    return await fs.readdir(folder)
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}
