import { join } from 'node:path'
import { isAbsent } from '../errno.ts'
import { makeDirectories, removeFile, type GitDirectory } from '../git-directory.ts'
import { acquireLock, lockedError } from '../lock-file.ts'

/** It is held for milliseconds; one that is older was left by a process that died. */
const STALE_AFTER = 60_000
const LOCK_TIMEOUT = 5000

/**
 * Runs work while nobody else freshens packs of this repository, or drops those that were not freshened: so that a pack is either found
 * to be fresh by who would drop it, or found to be gone by who would rely on it.
 *
 * @throws GitError `LOCKED`
 */
export async function whileDropsWait<T>(directory: GitDirectory, work: () => Promise<T>): Promise<T> {
  const folder = join(directory.path, 'packstone')
  const path = join(folder, 'drop')
  await makeDirectories(directory, folder)
  await removeStale(directory, `${path}.lock`)
  const lock = await acquireLock(directory, path, { timeout: LOCK_TIMEOUT })
  if (lock === undefined) throw lockedError(path)
  try {
    return await work()
  } finally {
    await lock.release()
  }
}

async function removeStale({ fs }: GitDirectory, lock: string): Promise<void> {
  try {
    if (Date.now() - (await fs.stat(lock)).mtimeMs > STALE_AFTER) await removeFile(fs, lock)
  } catch (error) {
    if (!isAbsent(error)) throw error
  }
}
