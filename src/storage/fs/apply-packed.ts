import { dirname, join } from 'node:path'
import type { PackedRefs, PackedRefValue } from '../../refs/packed-refs.ts'
import { finishFile, removeFile, syncDirectory, type GitDirectory } from './git-directory.ts'
import { mapInParallel } from './in-parallel.ts'
import type { LockFile } from './lock-file.ts'
import type { RefChange } from './ref-change.ts'
import { isSameTarget } from './ref-reader.ts'
import type { StoredRefSnapshot } from './ref-snapshot.ts'

/** What applying changes to packed-refs works on. The locks of packed-refs and of every changed ref are held. */
export interface PackedTransaction {
  readonly directory: GitDirectory
  /** The lock of packed-refs; given up by the commit. */
  readonly lock: LockFile
  /** The content of packed-refs. */
  readonly packed: PackedRefs
  readonly snapshot: StoredRefSnapshot
}

/**
 * Applies changes in one atomic step, whatever their number, however the process or the machine stops:
 *
 * 1. fold: the changed refs' current loose values go into packed-refs. No ref changes its value.
 * 2. their loose files are removed. The same values are now read from packed-refs.
 * 3. commit: packed-refs is replaced by one with the new values. This rename is the transaction.
 *
 * The new packed-refs is written into its lock, so the rename that commits also unlocks. That is safe because no loose
 * file of a changed ref is left that `git pack-refs` could pack with its old value.
 */
export async function applyPacked(
  transaction: PackedTransaction,
  changes: readonly RefChange[],
): Promise<void> {
  if (changes.length === 0) return
  const { directory, lock, packed, snapshot } = transaction
  const folded = new Map<string, PackedRefValue | null>()
  const final = new Map<string, PackedRefValue | null>()
  const loose: string[] = []
  for (const { edit } of changes) {
    const packedTarget = packed.find(edit.name)?.target
    const looseTarget = snapshot.findLoose(edit.name)
    if (looseTarget?.kind === 'direct') {
      loose.push(edit.name)
      if (packedTarget === undefined || !isSameTarget(packedTarget, looseTarget)) {
        folded.set(edit.name, { id: looseTarget.id })
      }
    }
    if (edit.target?.kind === 'direct') {
      const { id } = edit.target
      final.set(edit.name, edit.peeled === undefined ? { id } : { id, peeled: edit.peeled })
    } else if (packedTarget !== undefined) {
      final.set(edit.name, null)
    }
  }
  // One loose ref that packed-refs does not know: to remove its file is to delete it.
  if (final.size === 0 && changes.length === 1) {
    await removeLooseFiles(directory, loose)
    return
  }
  if (folded.size > 0) {
    await replacePackedRefs(directory, packed.edit(folded))
    for (const name of folded.keys()) if (!final.has(name)) final.set(name, null)
  }
  await removeLooseFiles(directory, loose)
  if (final.size === 0) return
  await lock.write(packed.edit(final))
  await lock.commit()
}

/**
 * Replaces packed-refs while its lock stays held. The new file is named as a lock, so that nobody takes it for a file
 * of git's when a crash leaves it behind; the next holder of the lock of packed-refs writes over it.
 */
async function replacePackedRefs(directory: GitDirectory, content: Uint8Array): Promise<void> {
  const path = join(directory.path, 'packed-refs.fold.lock')
  const file = await directory.fs.open(path, 'w', 0o666)
  try {
    await file.writeFile(content)
    await finishFile(directory, file)
  } finally {
    await file.close()
  }
  await directory.fs.rename(path, join(directory.path, 'packed-refs'))
  await syncDirectory(directory, directory.path)
}

async function removeLooseFiles(directory: GitDirectory, names: readonly string[]): Promise<void> {
  const paths = names.map((name) => join(directory.path, name))
  await mapInParallel(paths, (path) => removeFile(directory.fs, path))
  for (const parent of new Set(paths.map((path) => dirname(path)))) await syncDirectory(directory, parent)
}
