import { realpathSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import { localFileSystem } from '../../storage/fs/file-system.ts'
import { isGitDirectory } from '../../storage/fs/git-directory-check.ts'
import { TEMPORARY_PREFIX } from '../../storage/fs/init-bare-repository.ts'

/** A folder that looks like a bare repository. */
export interface BareDirectory {
  /** Its path without symbolic links. */
  readonly path: string
  /** Changes when another folder takes the place of this one. */
  readonly identity: string
}

/**
 * Finds the bare repository that a path names below a folder, with and without `.git` at its end.
 *
 * Nothing outside of the folder is found, symbolic links included: what counts is where they lead.
 *
 * @param root the folder, as `realpath` gives it.
 * @param path decoded segments joined by slashes, none of them `.` or `..`.
 * @param isKnown whether a folder is known to be a repository, and need not be looked into.
 */
export async function findBareDirectory(
  root: string,
  path: string,
  isKnown: (directory: BareDirectory) => boolean = () => false,
): Promise<BareDirectory | undefined> {
  const names = path.endsWith('.git') ? [path, path.slice(0, -'.git'.length)] : [path, `${path}.git`]
  for (const name of names) {
    if (name === '' || name.endsWith('/')) continue
    // Repositories that are being made or removed.
    if (name.split('/').some((segment) => segment.startsWith(TEMPORARY_PREFIX))) continue
    const found = await readBareDirectory(root, join(root, ...name.split('/')), isKnown)
    if (found !== undefined) return found
  }
  return undefined
}

async function readBareDirectory(
  root: string,
  directory: string,
  isKnown: (directory: BareDirectory) => boolean,
): Promise<BareDirectory | undefined> {
  // Every request asks this, and the kernel knows the answer: a turn through the thread pool would cost more than all else here.
  const path = unlessAbsentSync(() => realpathSync.native(directory))
  if (path === undefined || !isWithin(root, path)) return undefined
  const itself = unlessAbsentSync(() => statSync(path))
  if (itself === undefined) return undefined
  const found = { path, identity: `${itself.dev}:${itself.ino}:${itself.birthtimeMs}` }
  if (isKnown(found) || (await unlessAbsent(isGitDirectory(localFileSystem, path))) === true) return found
  return undefined
}

function isWithin(root: string, path: string): boolean {
  return path.startsWith(root.endsWith(sep) ? root : root + sep)
}

/** What a name can lead to that is no repository: nothing, a file on the way, a circle of links, a place we may not enter. */
const ABSENT: readonly unknown[] = ['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'ENAMETOOLONG', 'EINVAL']

function isAbsence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ABSENT.includes(error.code)
}

function unlessAbsentSync<T>(find: () => T): T | undefined {
  try {
    return find()
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw error
  }
}

async function unlessAbsent<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw error
  }
}
