import { dirname, join, resolve } from 'node:path'
import { encodeUtf8 } from '../../bytes/text.ts'
import { GitError } from '../../errors.ts'
import { encodeLooseRef } from '../../refs/loose-ref.ts'
import { assertRefName } from '../../refs/ref-name.ts'
import { initialConfig } from '../initial-config.ts'
import type { RepositoryStorage } from '../repository-storage.ts'
import type { CreateRepositoryOptions } from '../storage.ts'
import { openWithTurns, type FsOptions } from './bare-repository.ts'
import { hasErrno, storing } from './errno.ts'
import { localFileSystem } from './file-system.ts'
import { syncDirectory, writeNewFile, type GitDirectory } from './git-directory.ts'
import { randomSuffix } from './random-name.ts'
import { Turns } from './turns.ts'

/** The start of names of directories that are being made or removed. No repository key has such a segment. */
export const TEMPORARY_PREFIX = '.packstone-'

/**
 * Creates an empty bare repository as `git init --bare` does, whole or not at all: it is made beside its place and
 * renamed there.
 *
 * @param path where nothing or an empty directory is.
 * @throws GitError `ALREADY_EXISTS`, `INVALID_REF_NAME`
 */
export function initBareRepository(
  path: string,
  options: CreateRepositoryOptions & FsOptions,
): Promise<RepositoryStorage> {
  return initWithTurns(path, options, new Turns())
}

/** {@link initBareRepository} for one of several that take turns where they open the same repository. */
export function initWithTurns(
  path: string,
  options: CreateRepositoryOptions & FsOptions,
  turns: Turns,
): Promise<RepositoryStorage> {
  assertRefName(options.head)
  return makeRepository(path, { options, turns, fill: (directory) => writeLayout(directory, options) })
}

/** How the directory of a new repository is filled. */
export interface MakeRepositoryParts {
  readonly options: FsOptions
  readonly turns: Turns
  /** Fills the directory and makes it durable. It is not in its place yet. */
  readonly fill: (directory: GitDirectory) => Promise<void>
}

/**
 * Makes a repository, whole or not at all.
 *
 * @throws GitError `ALREADY_EXISTS`; what `fill` throws.
 */
export async function makeRepository(
  path: string,
  { options, turns, fill }: MakeRepositoryParts,
): Promise<RepositoryStorage> {
  const fs = options.fileSystem ?? localFileSystem
  const target = resolve(path)
  return storing(`fs:${target}`, async () => {
    const durable = options.durable ?? true
    const parent = { fs, path: dirname(target), durable, shared: { kind: 'umask' } } as const
    const temporary = await makeTemporary(parent)
    try {
      await fill({ ...parent, path: temporary })
      await moveInto(parent, temporary, target)
    } catch (error) {
      await fs.rm(temporary, { recursive: true, force: true })
      throw error
    }
    await syncDirectory(parent, parent.path)
    const repository = await openWithTurns(target, options, turns)
    if (repository !== undefined) return repository
    throw new GitError('STORAGE', `the repository created at ${target} has been removed already`)
  })
}

async function makeTemporary(parent: GitDirectory): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    await parent.fs.mkdir(parent.path, { recursive: true })
    const path = join(parent.path, `${TEMPORARY_PREFIX}new-${randomSuffix()}`)
    try {
      await parent.fs.mkdir(path)
      return path
    } catch (error) {
      if (attempt >= 16 || !hasErrno(error, 'ENOENT', 'EEXIST')) throw error
    }
  }
}

async function writeLayout(directory: GitDirectory, options: CreateRepositoryOptions): Promise<void> {
  const { fs, path } = directory
  for (const name of ['objects', 'objects/info', 'objects/pack', 'refs', 'refs/heads', 'refs/tags', 'info']) {
    await fs.mkdir(join(path, name))
  }
  const head = encodeLooseRef({ kind: 'symbolic', target: options.head })
  await writeNewFile(directory, join(path, 'HEAD'), head)
  await writeNewFile(directory, join(path, 'config'), encodeUtf8(initialConfig(options.objectFormat)))
  await writeNewFile(directory, join(path, 'description'), encodeUtf8('Unnamed repository.\n'))
  for (const name of ['objects', 'refs', '']) await syncDirectory(directory, join(path, name))
}

/** Renames a directory to its place, which must be free or an empty directory. */
async function moveInto(parent: GitDirectory, from: string, to: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await parent.fs.rename(from, to)
      return
    } catch (error) {
      if (hasErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw taken(to, error)
      if (attempt >= 16 || !hasErrno(error, 'ENOENT')) throw error
    }
    await parent.fs.mkdir(parent.path, { recursive: true })
  }
}

function taken(path: string, cause: unknown): GitError {
  return new GitError('ALREADY_EXISTS', `cannot create a repository at ${path}: something is there already`, {
    details: { path },
    cause,
  })
}
