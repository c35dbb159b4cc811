import { dirname, join } from 'node:path'
import { encodeLooseRef } from '../../refs/loose-ref.ts'
import { hasErrno } from './errno.ts'
import { removeEmptyTree, removeFile, syncDirectory, type GitDirectory } from './git-directory.ts'
import { mapInParallel } from './in-parallel.ts'
import type { LockFile } from './lock-file.ts'
import type { RefChange } from './ref-change.ts'
import type { RefLocks } from './ref-locks.ts'

/** Writes the new values into the locks, durable. Nothing has changed yet. */
export async function writeLooseValues(locks: RefLocks, changes: readonly RefChange[]): Promise<void> {
  await mapInParallel(changes, async ({ edit }) => {
    if (edit.target !== null) await locks.held.get(edit.name)?.write(encodeLooseRef(edit.target))
  })
}

/**
 * Puts the values that were written into locks in the refs' places, and removes the files of deleted refs; each of
 * them on its own, all durable at the end.
 *
 * @returns the names that cannot be files, because other refs have been created below them meanwhile.
 */
export async function applyLoose(
  directory: GitDirectory,
  locks: RefLocks,
  changes: readonly RefChange[],
): Promise<Set<string>> {
  const obstructed = new Set<string>()
  for (const { edit } of changes) {
    if (edit.target === null) {
      await removeFile(directory.fs, join(directory.path, edit.name))
      continue
    }
    const lock = locks.held.get(edit.name)
    if (lock !== undefined && !(await renameOverDirectories(directory, lock))) obstructed.add(edit.name)
  }
  if (changes.length === 0) return obstructed
  const parents = new Set(changes.map(({ edit }) => dirname(join(directory.path, edit.name))))
  for (const parent of [...parents, ...locks.grown]) await syncDirectory(directory, parent)
  return obstructed
}

/** Renames a lock to its file, in the way of which empty directories may be that deleted refs left behind. */
async function renameOverDirectories(directory: GitDirectory, lock: LockFile): Promise<boolean> {
  for (let attempt = 0; attempt < 16; attempt++) {
    try {
      await lock.rename()
      return true
    } catch (error) {
      if (!hasErrno(error, 'EISDIR', 'ENOTEMPTY', 'EEXIST')) throw error
    }
    await removeEmptyTree(directory.fs, lock.path)
  }
  return false
}
