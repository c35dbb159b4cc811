import { constants } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ReflogEntry } from '../../refs/ref-edit.ts'
import { encodeReflogLine } from '../../refs/reflog.ts'
import { GitError } from '../../errors.ts'
import type { ObjectId } from '../../object/object-id.ts'
import { hasErrno, isAbsent } from './errno.ts'
import type { OpenFile } from './file-system.ts'
import {
  makeDirectories,
  removeEmptyParents,
  removeEmptyTree,
  removeFile,
  shareFile,
  type GitDirectory,
} from './git-directory.ts'
import { createsReflog, type RepositorySettings } from './repository-settings.ts'

/** A line to add to a ref's log. */
export interface ReflogAddition {
  readonly name: string
  readonly before: ObjectId
  readonly after: ObjectId
  readonly entry: ReflogEntry
}

/** Tells whether an edit of the ref is logged: it has a log, or the settings give it one. */
export async function isLogged(
  directory: GitDirectory,
  settings: RepositorySettings,
  name: string,
): Promise<boolean> {
  if (createsReflog(name, settings.logging)) return true
  try {
    return (await directory.fs.stat(logPath(directory, name))).isFile()
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

/** Adds a line to the log of a ref whose lock the caller holds, making the log when it is not there. */
export async function appendReflog(directory: GitDirectory, line: ReflogAddition): Promise<void> {
  const { before, after, entry } = line
  const bytes = encodeReflogLine({ ...entry, before, after })
  const file = await openLog(directory, line.name)
  try {
    await shareFile(directory, file)
    await file.write(bytes)
  } finally {
    await file.close()
  }
}

async function openLog(directory: GitDirectory, name: string): Promise<OpenFile> {
  const path = logPath(directory, name)
  for (let attempt = 0; ; attempt++) {
    try {
      const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT
      return await directory.fs.open(path, flags, 0o666)
    } catch (error) {
      if (attempt >= 16 || !hasErrno(error, 'ENOENT', 'EISDIR')) throw obstructed(error, name, path)
      // Empty directories may be left of the logs of refs that were once below this name.
      if (hasErrno(error, 'EISDIR') && !(await removeEmptyTree(directory.fs, path))) {
        throw obstructed(error, name, path)
      }
    }
    try {
      await makeDirectories(directory, dirname(path))
    } catch (error) {
      throw obstructed(error, name, path)
    }
  }
}

/** Removes the log of a deleted ref, and directories that it leaves empty. */
export async function removeReflog(directory: GitDirectory, name: string): Promise<void> {
  const path = logPath(directory, name)
  try {
    if (!(await removeFile(directory.fs, path))) return
  } catch (error) {
    // A directory holds logs of other refs. Linux says EISDIR, POSIX has EPERM for it.
    if (hasErrno(error, 'EISDIR', 'EPERM')) return
    throw error
  }
  const [refs = '', kind = ''] = name.split('/')
  await removeEmptyParents(directory.fs, dirname(path), logPath(directory, join(refs, kind)))
}

function logPath(directory: GitDirectory, name: string): string {
  return join(directory.path, 'logs', name)
}

function obstructed(error: unknown, name: string, path: string): unknown {
  if (!hasErrno(error, 'EISDIR', 'ENOTDIR', 'EEXIST')) return error
  return new GitError(
    'STORAGE',
    `the log of ref ${name} cannot be written: at or above ${path} is the log of another ref, left behind; remove it`,
    { details: { ref: name, path }, cause: error },
  )
}
