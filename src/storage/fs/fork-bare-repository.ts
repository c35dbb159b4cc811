import { join, resolve } from 'node:path'
import { parseGitConfig } from '../../config/git-config.ts'
import { checkForkOptions } from '../fork-options.ts'
import type { RepositoryStorage } from '../repository-storage.ts'
import type { ForkRepositoryOptions } from '../storage.ts'
import type { FsOptions } from './bare-repository.ts'
import { localFileSystem } from './file-system.ts'
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
  const config = await readForkConfig(fs, from)
  const objectFormat = parseRepositoryFormat(parseGitConfig(config.text), location)
  const begin = checkForkOptions(options.fork, objectFormat)
  const { shared } = parseRepositorySettings(config.text, from)
  const objectDirectories = await listObjectDirectories(fs, join(from, 'objects'))
  const parts = { location, objectFormat, objectDirectories, config: config.bytes }
  return makeRepository(path, {
    options,
    turns,
    fill: (directory) => fillFork({ ...directory, shared }, parts, begin),
  })
}
