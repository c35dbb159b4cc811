import { constants } from 'node:fs'
import { dirname, join } from 'node:path'
import { GitError } from '../../errors.ts'
import { hasErrno, isAbsent } from './errno.ts'
import type { FileSystem, OpenFile } from './file-system.ts'
import type { SharedPermissions } from './shared-permissions.ts'
import { sharedMode } from './shared-permissions.ts'

/** The directory of one repository and how files in it are made: whole, durable, with the permissions it asks for. */
export interface GitDirectory {
  readonly fs: FileSystem
  /** Absolute path. */
  readonly path: string
  /** Whether files and directories are flushed to the device. */
  readonly durable: boolean
  readonly shared: SharedPermissions
}

/** The whole file; undefined when there is none. */
export async function readFileIfThere(fs: FileSystem, path: string): Promise<Uint8Array | undefined> {
  let file: OpenFile
  try {
    file = await fs.open(path, constants.O_RDONLY)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
  try {
    return await file.readFile()
  } finally {
    await file.close()
  }
}

/**
 * Creates a file of these bytes that must not exist yet, and makes its content durable. The name becomes durable with
 * {@link syncDirectory}. A failure leaves no file.
 */
export async function writeNewFile(
  directory: GitDirectory,
  path: string,
  content: Uint8Array,
  options: { readonly mode?: number } = {},
): Promise<void> {
  const file = await directory.fs.open(path, 'wx', 0o666)
  try {
    await file.writeFile(content)
    await finishFile(directory, file, options)
  } catch (error) {
    await directory.fs.unlink(path)
    throw error
  } finally {
    await file.close()
  }
}

/** Gives an open file its final mode and makes it durable. */
export async function finishFile(
  directory: GitDirectory,
  file: OpenFile,
  options: { readonly mode?: number } = {},
): Promise<void> {
  await shareFile(directory, file, options.mode)
  if (directory.durable) await file.sync()
}

/** Gives an open file the mode that the repository's sharing asks for, starting from `mode` or the one it has. */
export async function shareFile(directory: GitDirectory, file: OpenFile, mode?: number): Promise<void> {
  if (mode === undefined && directory.shared.kind === 'umask') return
  const current = (await file.stat()).mode & 0o7777
  const wanted = sharedMode(mode ?? current, directory.shared, false)
  if (wanted !== current) await file.chmod(wanted)
}

/** Makes the names in a directory durable: what was created, renamed or removed in it. */
export async function syncDirectory(directory: GitDirectory, path: string): Promise<void> {
  if (!directory.durable) return
  let handle: OpenFile
  try {
    handle = await directory.fs.open(path, constants.O_RDONLY)
  } catch (error) {
    // Removed meanwhile because it was empty: then its parent is what counts.
    if (hasErrno(error, 'ENOENT')) return
    throw error
  }
  try {
    await handle.sync()
  } catch (error) {
    // Some file systems cannot flush a directory and say so.
    if (!hasErrno(error, 'EINVAL', 'ENOTSUP')) throw error
  } finally {
    await handle.close()
  }
}

/**
 * Makes a directory within the repository and its missing parents, shared as the repository asks for.
 *
 * @returns the directories that got a new one in them: what to flush where the new ones must last.
 * @throws GitError `NOT_FOUND` when the repository itself is gone: it is not brought back.
 */
export async function makeDirectories(directory: GitDirectory, path: string): Promise<string[]> {
  const { fs } = directory
  if (path.length <= directory.path.length) {
    throw new GitError('NOT_FOUND', `the repository at ${directory.path} was deleted`)
  }
  try {
    await fs.mkdir(path)
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) {
      if ((await fs.stat(path)).isDirectory()) return []
      throw error
    }
    if (!hasErrno(error, 'ENOENT')) throw error
    const above = await makeDirectories(directory, dirname(path))
    return [...above, ...(await makeDirectories(directory, path))]
  }
  if (directory.shared.kind !== 'umask') {
    const current = (await fs.stat(path)).mode & 0o7777
    const wanted = sharedMode(current, directory.shared, true)
    if (wanted !== current) await fs.chmod(path, wanted)
  }
  return [dirname(path)]
}

/** {@link makeDirectories}, made durable. */
export async function makeDurableDirectories(directory: GitDirectory, path: string): Promise<void> {
  for (const parent of await makeDirectories(directory, path)) await syncDirectory(directory, parent)
}

/** Removes a file; false when there was none. */
export async function removeFile(fs: FileSystem, path: string): Promise<boolean> {
  try {
    await fs.unlink(path)
    return true
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

/** Removes the directories from `path` upwards while they are empty, never `top` itself. */
export async function removeEmptyParents(fs: FileSystem, path: string, top: string): Promise<void> {
  for (let at = path; at.length > top.length && at.startsWith(`${top}/`); at = dirname(at)) {
    try {
      await fs.rmdir(at)
    } catch (error) {
      if (hasErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR', 'EBUSY')) return
      throw error
    }
  }
}

/**
 * Removes a directory that holds nothing but empty directories.
 *
 * @returns false when there is a file in it, true when it is gone or never was a directory.
 */
export async function removeEmptyTree(fs: FileSystem, path: string): Promise<boolean> {
  try {
    for (const entry of await fs.readdir(path, { withFileTypes: true })) {
      if (!entry.isDirectory() || !(await removeEmptyTree(fs, join(path, entry.name)))) return false
    }
    await fs.rmdir(path)
    return true
  } catch (error) {
    if (hasErrno(error, 'ENOTEMPTY', 'EEXIST')) return false
    if (isAbsent(error)) return true
    throw error
  }
}
