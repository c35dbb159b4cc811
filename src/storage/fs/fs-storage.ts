import { dirname, join, resolve } from 'node:path'
import { GitError, isGitError } from '../../errors.ts'
import { noSource } from '../fork-options.ts'
import { assertRepositoryKey, isRepositoryKey } from '../repository-key.ts'
import type { RepositoryPage, Storage } from '../storage.ts'
import { openWithTurns, type FsOptions } from './bare-repository.ts'
import { hasErrno, isAbsent, storing } from './errno.ts'
import { localFileSystem, type FileSystem } from './file-system.ts'
import { forkWithTurns } from './fork-bare-repository.ts'
import { removeEmptyParents, syncDirectory, type GitDirectory } from './git-directory.ts'
import { initWithTurns, TEMPORARY_PREFIX } from './init-bare-repository.ts'
import { isGitDirectory } from './git-directory-check.ts'
import { randomSuffix } from './random-name.ts'
import { Turns } from './turns.ts'

export interface FsStorageOptions extends FsOptions {
  /** The directory that holds the repositories; made when the first one is created. */
  readonly directory: string
}

const SUFFIX = '.git'
const DEFAULT_PAGE = 1000

/**
 * Creates a storage of bare repositories in one directory: the key `team/project` is the directory
 * `team/project.git`. Symbolic links below the directory are not followed to repositories, so that no key leads out
 * of it.
 */
export function createFsStorage(options: FsStorageOptions): Storage {
  const fs = options.fileSystem ?? localFileSystem
  const top = resolve(options.directory)
  const location = `fs:${top}`
  const turns = new Turns()
  const files: GitDirectory = { fs, path: top, durable: options.durable ?? true, shared: { kind: 'umask' } }
  const pathOf = (key: string): string => {
    assertFsKey(key)
    return join(top, key + SUFFIX)
  }

  return {
    location,

    open: (key) =>
      storing(location, async () => {
        const path = pathOf(key)
        return (await isOwnPath(fs, top, path)) ? openWithTurns(path, options, turns) : undefined
      }),

    create: (key, create) =>
      storing(location, async () => {
        const path = pathOf(key)
        await assertNoLinkAbove(fs, top, path)
        return initWithTurns(path, { ...options, ...create }, turns)
      }),

    fork: (sourceKey, key, fork) =>
      storing(location, async () => {
        const from = pathOf(sourceKey)
        const path = pathOf(key)
        const isThere = async (): Promise<boolean> =>
          (await isOwnPath(fs, top, from)) && (await isGitDirectory(fs, from))
        if (!(await isThere())) throw noSource(location, sourceKey)
        await assertNoLinkAbove(fs, top, path)
        try {
          return await forkWithTurns(from, path, { ...options, fork }, turns)
        } catch (error) {
          if (!isGitError(error, 'ALREADY_EXISTS') && !(await isThere())) throw noSource(location, sourceKey)
          throw error
        }
      }),

    delete: (key) =>
      storing(location, async () => {
        const path = pathOf(key)
        if (!(await isOwnPath(fs, top, path)) || !(await isGitDirectory(fs, path))) return false
        await removeLeftovers(fs, [top, dirname(path)])
        return removeRepository(files, path)
      }),

    list: ({ limit = DEFAULT_PAGE, cursor = '' } = {}) =>
      storing(location, async () => {
        if (!Number.isSafeInteger(limit) || limit < 1) {
          throw new GitError('INVALID_ARGUMENT', `limit is ${limit}; expected a whole number of at least 1`)
        }
        return readPage(walkKeys(fs, top, '', cursor), limit)
      }),

    close: () => Promise.resolve(),
  }
}

/** A key within a directory that is itself a repository would put one repository's files into another's. */
function isFsKey(key: string): boolean {
  return isRepositoryKey(key) && !key.includes(`${SUFFIX}/`)
}

function assertFsKey(key: string): void {
  assertRepositoryKey(key)
  if (isFsKey(key)) return
  throw new GitError(
    'INVALID_ARGUMENT',
    `'${key}' is not a key of this storage: only the last segment may end in '${SUFFIX}'`,
    { details: { key } },
  )
}

/** Tells whether a path below `top` exists and no symbolic link leads to it. */
async function isOwnPath(fs: FileSystem, top: string, path: string): Promise<boolean> {
  try {
    return (await fs.realpath(path)) === (await fs.realpath(top)) + path.slice(top.length)
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

async function assertNoLinkAbove(fs: FileSystem, top: string, path: string): Promise<void> {
  for (let at = dirname(path); at.length > top.length; at = dirname(at)) {
    if ((await kindOf(fs, at)) !== 'other') continue
    throw new GitError('INVALID_ARGUMENT', `cannot create ${path}: ${at} is not a directory`, {
      details: { path: at },
    })
  }
}

async function kindOf(fs: FileSystem, path: string): Promise<'directory' | 'absent' | 'other'> {
  try {
    return (await fs.lstat(path)).isDirectory() ? 'directory' : 'other'
  } catch (error) {
    if (isAbsent(error)) return 'absent'
    throw error
  }
}

/** Renames the repository to where no key leads, so that it is gone at once, and then removes what is in it. */
async function removeRepository(files: GitDirectory, path: string): Promise<boolean> {
  const { fs, path: top } = files
  const aside = join(top, `${TEMPORARY_PREFIX}deleted-${randomSuffix()}`)
  try {
    await fs.rename(path, aside)
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
  await syncDirectory(files, dirname(path))
  await fs.rm(aside, { recursive: true, force: true })
  await removeEmptyParents(fs, dirname(path), top)
  return true
}

/** A repository that is being made for longer than this, in milliseconds, was left by a process that died. */
const ABANDONED_AFTER = 86_400_000

/** Removes what crashes left in directories: repositories that were being deleted, or made. */
async function removeLeftovers(fs: FileSystem, folders: Iterable<string>): Promise<void> {
  for (const folder of new Set(folders)) {
    for (const name of await fs.readdir(folder)) {
      const path = join(folder, name)
      if (name.startsWith(`${TEMPORARY_PREFIX}deleted-`) || (await isAbandoned(fs, path, name))) {
        await fs.rm(path, { recursive: true, force: true })
      }
    }
  }
}

async function isAbandoned(fs: FileSystem, path: string, name: string): Promise<boolean> {
  if (!name.startsWith(`${TEMPORARY_PREFIX}new-`)) return false
  try {
    return Date.now() - (await fs.lstat(path)).mtimeMs > ABANDONED_AFTER
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

async function readPage(keys: AsyncIterable<string>, limit: number): Promise<RepositoryPage> {
  const page: string[] = []
  for await (const key of keys) {
    if (page.length === limit) return { keys: page, cursor: page[limit - 1] ?? '' }
    page.push(key)
  }
  return { keys: page }
}

/** A directory entry, with what keys it stands for begin with: the key itself, or the directory and a slash. */
interface WalkEntry {
  readonly path: string
  readonly key: string
}

/**
 * Yields the keys after `cursor` in byte order. Within a directory, ordering repositories by key and directories by
 * name and slash is the order of all keys, since no segment has a slash.
 */
async function* walkKeys(
  fs: FileSystem,
  top: string,
  prefix: string,
  cursor: string,
): AsyncGenerator<string> {
  const entries: WalkEntry[] = []
  for (const name of await listDirectories(fs, join(top, prefix))) {
    const path = join(top, prefix, name)
    if (name.startsWith('.')) continue
    if (!name.endsWith(SUFFIX)) entries.push({ path, key: `${prefix}${name}/` })
    else entries.push({ path, key: prefix + name.slice(0, -SUFFIX.length) })
  }
  entries.sort((left, right) => (left.key < right.key ? -1 : 1))
  for (const { path, key } of entries) {
    if (key.endsWith('/')) {
      if (key > cursor || cursor.startsWith(key)) yield* walkKeys(fs, top, key, cursor)
    } else if (key > cursor && isFsKey(key) && (await isGitDirectory(fs, path))) {
      yield key
    }
  }
}

async function listDirectories(fs: FileSystem, path: string): Promise<string[]> {
  try {
    const entries = await fs.readdir(path, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  } catch (error) {
    if (isAbsent(error) || hasErrno(error, 'EACCES')) return []
    throw error
  }
}
