import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parseProtocolOptions, type Resolution, type ResolveRepository } from '../../http/index.ts'
import { findBareDirectory } from './bare-directory.ts'
import type { BorrowedRepository, RepositoryCache } from './repository-cache.ts'

export interface BareAccess {
  /** Whether everybody may push, where the repository's `http.receivepack` does not say otherwise. */
  readonly allowPush: boolean
  /** Whether a repository is served only when it has a file `git-daemon-export-ok`. */
  readonly exportOk: boolean
}

const NOT_FOUND: Resolution = { kind: 'not-found' }

/**
 * Serves the bare repositories below a folder: everybody may read unless `http.uploadpack` is false, and push where
 * `http.receivepack` is true. Their config is read anew for every request.
 *
 * @param root the folder, as `realpath` gives it.
 */
export function resolveBare(root: string, cache: RepositoryCache, access: BareAccess): ResolveRepository {
  return async (path) => {
    const directory = await findBareDirectory(root, path, (found) => cache.has(found))
    if (directory === undefined) return NOT_FOUND
    if (access.exportOk && !(await exists(join(directory.path, 'git-daemon-export-ok')))) return NOT_FOUND
    const borrowed = await cache.borrow(directory)
    let kept = false
    try {
      const resolution = await judge(borrowed, access)
      kept = resolution.kind === 'found'
      return resolution
    } finally {
      if (!kept) borrowed.release()
    }
  }
}

async function judge({ repository, release }: BorrowedRepository, access: BareAccess): Promise<Resolution> {
  const config = await repository.readConfig()
  // A push would move the branch under the feet of whoever works in that folder.
  if (!config.getBool('core.bare', true)) return NOT_FOUND
  return {
    kind: 'found',
    repository,
    release,
    options: parseProtocolOptions(config),
    access: {
      upload: config.getBool('http.uploadpack', true),
      receive: config.getBool('http.receivepack', access.allowPush),
    },
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
