import { dirname, join } from 'node:path'
import type { RepositoryFileKind } from '../../git-files.ts'
import { makeDirectories, readFileIfThere, removeFile, type GitDirectory } from '../git-directory.ts'
import { acquireLock } from '../lock-file.ts'
import type { FileSystem } from '../file-system.ts'

/** Where git looks for them, within the repository. */
const PLACES: Readonly<Record<RepositoryFileKind, string>> = {
  'commit-graph': 'objects/info/commit-graph',
  'multi-pack-index': 'objects/pack/multi-pack-index',
}

export function readRepositoryFile(
  fs: FileSystem,
  path: string,
  kind: RepositoryFileKind,
): Promise<Uint8Array | undefined> {
  return readFileIfThere(fs, join(path, PLACES[kind]))
}

/**
 * Writes a file that is derived from the whole repository, under git's lock. Where somebody else writes it, theirs will do. A commit-graph
 * in several files gives way to the new one, which git would not look at beside it.
 */
export async function writeRepositoryFile(
  directory: GitDirectory,
  kind: RepositoryFileKind,
  bytes: Uint8Array,
): Promise<void> {
  const place = join(directory.path, PLACES[kind])
  await makeDirectories(directory, dirname(place))
  const lock = await acquireLock(directory, place, { timeout: 0 })
  if (lock === undefined) return
  try {
    await lock.write(bytes)
    await lock.commit()
  } finally {
    await lock.release()
  }
  if (kind !== 'commit-graph') return
  const chain = join(dirname(place), 'commit-graphs')
  if (await removeFile(directory.fs, join(chain, 'commit-graph-chain')))
    await directory.fs.rm(chain, { recursive: true, force: true })
}

/** Removes a file that is derived from the whole repository, if it is there. */
export async function removeRepositoryFile(
  { fs, path }: GitDirectory,
  kind: RepositoryFileKind,
): Promise<void> {
  await removeFile(fs, join(path, PLACES[kind]))
}
