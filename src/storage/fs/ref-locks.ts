import { dirname, join } from 'node:path'
import { compareRefNames } from '../../refs/ref-name.ts'
import { hasErrno, isAbsent } from './errno.ts'
import { makeDirectories, removeEmptyParents, type GitDirectory } from './git-directory.ts'
import { mapInParallel } from './in-parallel.ts'
import { acquireLock, type LockFile } from './lock-file.ts'

/** The locks that a transaction holds on loose refs. */
export interface RefLocks {
  readonly held: ReadonlyMap<string, LockFile>
  /** Refs that somebody else has locked. */
  readonly busy: ReadonlySet<string>
  /** Refs whose lock has no place to be, because another ref's file stands where their directory should be. */
  readonly obstructed: ReadonlySet<string>
  /** Directories in which others had to be made: to flush where a ref's file is put into one of those. */
  readonly grown: ReadonlySet<string>
  /** Gives up the locks, and the directories that were made for them and are empty. */
  release(): Promise<void>
}

/** How many locks are tried for at a time. */
const BATCH = 64

/**
 * Locks refs so that nobody waits for a lock while holding one of a later name: of two transactions that contend for
 * several refs one gets them all.
 *
 * @param timeout milliseconds to wait in all for locks that others hold; negative: for ever.
 * @param together give up at the first lock that is not to be had.
 */
export async function acquireRefLocks(
  directory: GitDirectory,
  names: Iterable<string>,
  options: { readonly timeout: number; readonly together: boolean },
): Promise<RefLocks> {
  const held = new Map<string, LockFile>()
  const busy = new Set<string>()
  const obstructed = new Set<string>()
  const grown = new Set<string>()
  const parents = new Set<string>()
  const release = async (): Promise<void> => {
    await mapInParallel([...held.values()], (lock) => lock.release())
    await mapInParallel([...parents], (parent) => removeEmptyRefDirectories(directory, parent))
  }
  const acquire = async (name: string, timeout: number): Promise<boolean> => {
    const lock = await acquireRefLock(directory, name, { timeout, grown })
    if (lock === 'busy') return false
    if (lock === 'obstructed') obstructed.add(name)
    else held.set(name, lock)
    parents.add(dirname(name))
    return true
  }
  const sorted = [...names].sort(compareRefNames)
  let left = options.timeout
  try {
    for (let at = 0; at < sorted.length;) {
      const batch = sorted.slice(at, at + BATCH)
      const taken = await mapInParallel(batch, (name) => acquire(name, 0))
      const first = taken.indexOf(false)
      if (first < 0) {
        at += batch.length
      } else {
        // Those behind the one to wait for are given back, lest somebody who holds it waits for them.
        await mapInParallel(batch.slice(first + 1), async (name) => {
          await held.get(name)?.release()
          held.delete(name)
          obstructed.delete(name)
        })
        const name = batch[first] ?? ''
        const began = Date.now()
        if (!(await acquire(name, left))) busy.add(name)
        if (left > 0) left = Math.max(0, left - (Date.now() - began))
        at += first + 1
      }
      if (options.together && busy.size + obstructed.size > 0) break
    }
  } catch (error) {
    await release()
    throw error
  }
  return { held, busy, obstructed, grown, release }
}

async function acquireRefLock(
  directory: GitDirectory,
  name: string,
  { timeout, grown }: { readonly timeout: number; readonly grown: Set<string> },
): Promise<LockFile | 'busy' | 'obstructed'> {
  const path = join(directory.path, name)
  for (let attempt = 0; ; attempt++) {
    try {
      return (await acquireLock(directory, path, { timeout })) ?? 'busy'
    } catch (error) {
      if (hasErrno(error, 'ENOTDIR')) return 'obstructed'
      // The directory may go again, as soon as it is made: somebody else tidies up empty ones.
      if (!hasErrno(error, 'ENOENT') || attempt >= 16) throw error
    }
    try {
      for (const parent of await makeDirectories(directory, dirname(path))) grown.add(parent)
    } catch (error) {
      if (hasErrno(error, 'EEXIST', 'ENOTDIR')) return 'obstructed'
      if (!isAbsent(error)) throw error
    }
  }
}

/** Removes the directory of refs and those above it while they are empty; `refs/<kind>` itself stays. */
export async function removeEmptyRefDirectories(directory: GitDirectory, name: string): Promise<void> {
  if (!name.startsWith('refs/')) return
  const [refs = '', kind = ''] = name.split('/')
  await removeEmptyParents(directory.fs, join(directory.path, name), join(directory.path, refs, kind))
}
