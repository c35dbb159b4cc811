import { dirname, join } from 'node:path'
import { GitError } from '../../../errors.ts'
import type { PackedRefValue } from '../../../refs/packed-refs.ts'
import { removeFile, syncDirectory, type GitDirectory } from '../git-directory.ts'
import { acquireLock } from '../lock-file.ts'
import { listLooseRefs, readLooseRef } from '../loose-refs.ts'
import { acquireRefLocks } from '../ref-locks.ts'
import { isSameTarget, type RefReader } from '../ref-reader.ts'
import type { Turns } from '../turns.ts'

/** Fewer loose refs than this are left alone: they cost less than rewriting a long packed-refs. */
const LEAST_REFS = 8
/** How long to wait for the lock of packed-refs, in milliseconds. */
const LOCK_TIMEOUT = 1000

/** What putting refs together needs of its repository. */
export interface CompactRefsPlace {
  readonly directory: GitDirectory
  readonly reader: RefReader
  readonly turns: Turns
}

/**
 * Moves loose refs into packed-refs, as `git pack-refs --all --prune` does: first packed-refs gets their values, then each file is
 * removed under its lock if it still has the value. No ref is without its value at any moment. Symbolic refs stay loose.
 *
 * @returns how many were moved; none when somebody else holds the lock of packed-refs.
 */
export async function compactLooseRefs({ directory, reader, turns }: CompactRefsPlace): Promise<number> {
  const endTurn = await turns.take(reader.packed.path)
  const packed = new Map<string, PackedRefValue>()
  try {
    const lock = await acquireLock(directory, reader.packed.path, { timeout: LOCK_TIMEOUT })
    if (lock === undefined) return 0
    try {
      for (const { name, target } of await listLooseRefs(reader.place, 'refs/')) {
        if (target === undefined) {
          throw new GitError('CORRUPT_REF', `the file of ref ${name} holds no value; repair or remove it`, {
            details: { ref: name },
          })
        }
        if (target.kind === 'direct') packed.set(name, { id: target.id })
      }
      if (packed.size < LEAST_REFS) return 0
      const former = await reader.packed.read()
      // A value that is packed already keeps what is known of it.
      for (const [name, { id }] of packed) {
        const ref = former.find(name)
        if (ref?.peeled !== undefined && isSameTarget(ref.target, { kind: 'direct', id }))
          packed.set(name, { id, peeled: ref.peeled })
        else if (name.startsWith('refs/heads/')) packed.set(name, { id, peeled: null })
      }
      await lock.write(former.edit(packed))
      await lock.commit()
    } finally {
      await lock.release()
    }
  } finally {
    endTurn()
  }
  await removePacked(directory, reader, packed)
  return packed.size
}

/** Removes the files of refs that still have the value that was packed. Those that somebody has locked stay. */
async function removePacked(
  directory: GitDirectory,
  reader: RefReader,
  packed: ReadonlyMap<string, PackedRefValue>,
): Promise<void> {
  for (const [name, { id }] of packed) {
    const locks = await acquireRefLocks(directory, [name], { timeout: 0, together: true })
    try {
      if (!locks.held.has(name)) continue
      const entry = await readLooseRef(reader.place, name)
      if (entry.kind !== 'ref' || !isSameTarget(entry.target, { kind: 'direct', id })) continue
      await removeFile(directory.fs, join(directory.path, name))
    } finally {
      await locks.release()
    }
  }
  const folders = new Set([...packed.keys()].map((name) => dirname(join(directory.path, name))))
  for (const folder of folders) await syncDirectory(directory, folder)
}
