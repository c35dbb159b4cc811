import { join, resolve } from 'node:path'
import { parseGitConfig } from '../../config/git-config.ts'
import { checkForkOptions, goneFromSource } from '../fork-options.ts'
import type { RepositoryStorage } from '../repository-storage.ts'
import type { ForkRepositoryOptions } from '../storage.ts'
import type { FsOptions } from './bare-repository.ts'
import { isAbsent } from './errno.ts'
import { localFileSystem, type FileSystem } from './file-system.ts'
import { fillFork, readForkConfig } from './fork-files.ts'
import { makeRepository } from './init-bare-repository.ts'
import { listObjectDirectories } from './object-directories.ts'
import { parseRepositoryFormat } from './repository-format.ts'
import { parseRepositorySettings } from './repository-settings.ts'
import type { Turns } from './turns.ts'

/**
 * Forks a bare repository into another directory, whole or not at all. Packs and loose objects, also those of alternates, are hard
 * links; copies where the file system has none.
 *
 * @throws GitError `ALREADY_EXISTS`, `CONFLICT`, `INVALID_ARGUMENT`, `INVALID_REF_NAME`, `INVALID_ID`
 */
export async function forkWithTurns(
  source: string,
  path: string,
  options: FsOptions & { readonly fork: ForkRepositoryOptions },
  turns: Turns,
): Promise<RepositoryStorage> {
  const fs = options.fileSystem ?? localFileSystem
  const from = resolve(source)
  const location = `fs:${from}`
  const identity = await identityOf(fs, from)
  const config = await readForkConfig(fs, from)
  const objectFormat = parseRepositoryFormat(parseGitConfig(config.text), location)
  const begin = checkForkOptions(options.fork, objectFormat)
  const { shared } = parseRepositorySettings(config.text, from)
  const objectDirectories = await listObjectDirectories(fs, join(from, 'objects'))
  const parts = { location, objectFormat, objectDirectories, config: config.bytes }
  return makeRepository(path, {
    options,
    turns,
    fill: async (directory) => {
      await fillFork({ ...directory, shared }, parts, begin)
      // What was read of a repository that was deleted meanwhile may have been nothing.
      if ((await identityOf(fs, from)) !== identity)
        throw goneFromSource(location, 'directory of this repository')
    },
  })
}

/** Tells a directory from another one at the same path. */
async function identityOf(fs: FileSystem, path: string): Promise<string | undefined> {
  try {
    const { dev, ino, birthtimeMs } = await fs.stat(path)
    return `${dev} ${ino} ${birthtimeMs}`
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}
