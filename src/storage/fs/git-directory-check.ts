import { join } from 'node:path'
import { decodeUtf8 } from '../../bytes/text.ts'
import { hasErrno, isAbsent } from './errno.ts'
import type { FileSystem } from './file-system.ts'
import { readFileIfThere } from './git-directory.ts'

/**
 * Tells whether a directory is a repository, as git decides it: a proper `HEAD`, and directories `objects` and `refs`
 * (gitrepository-layout). A file that points to a repository elsewhere is not followed.
 */
export async function isGitDirectory(fs: FileSystem, path: string): Promise<boolean> {
  return (
    (await isDirectory(fs, join(path, 'objects'))) &&
    (await isDirectory(fs, join(path, 'refs'))) &&
    (await hasProperHead(fs, path))
  )
}

async function hasProperHead(fs: FileSystem, path: string): Promise<boolean> {
  try {
    return (await fs.readlink(join(path, 'HEAD'))).startsWith('refs/')
  } catch (error) {
    if (isAbsent(error)) return false
    if (!hasErrno(error, 'EINVAL')) throw error
  }
  try {
    const head = decodeUtf8((await readFileIfThere(fs, join(path, 'HEAD'))) ?? new Uint8Array(0))
    return /^(?:ref:\s*refs\/|[0-9a-f]{40})/i.test(head)
  } catch (error) {
    if (hasErrno(error, 'EISDIR')) return false
    throw error
  }
}

async function isDirectory(fs: FileSystem, path: string): Promise<boolean> {
  try {
    return (await fs.stat(path)).isDirectory()
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}
