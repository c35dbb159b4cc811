import { basename } from 'node:path'
import { parseGitConfig, type GitConfig } from '../../config/git-config.ts'
import { parseSharedPermissions, type SharedPermissions } from './shared-permissions.ts'

/** The settings of a repository's config that say how this adapter writes. */
export interface RepositorySettings {
  readonly shared: SharedPermissions
  /** Which refs get a reflog when they have none: `core.logAllRefUpdates`. */
  readonly logging: 'none' | 'branches' | 'all'
  /** Milliseconds to wait for the lock of a loose ref; negative: for ever. */
  readonly refLockTimeout: number
  /** Milliseconds to wait for the lock of packed-refs; negative: for ever. */
  readonly packedRefsTimeout: number
}

/**
 * Reads the settings, with git's defaults (git-config, section core).
 *
 * @param path of the repository: one that does not say whether it is bare is, unless it is called `.git`.
 * @throws GitError `CORRUPT_CONFIG`
 */
export function parseRepositorySettings(text: string, path: string): RepositorySettings {
  const config = parseGitConfig(text)
  return {
    shared: parseSharedPermissions(config.get('core.sharedrepository')),
    logging: parseLogging(config, path),
    refLockTimeout: config.getInt('core.filesreflocktimeout', 100),
    packedRefsTimeout: config.getInt('core.packedrefstimeout', 1000),
  }
}

function parseLogging(config: GitConfig, path: string): RepositorySettings['logging'] {
  if (config.get('core.logallrefupdates')?.toLowerCase() === 'always') return 'all'
  const isBare = config.getBool('core.bare', basename(path) !== '.git')
  return config.getBool('core.logallrefupdates', !isBare) ? 'branches' : 'none'
}

/** Tells whether a ref without a reflog gets one. */
export function createsReflog(name: string, logging: RepositorySettings['logging']): boolean {
  if (logging !== 'branches') return logging === 'all'
  return name === 'HEAD' || /^refs\/(heads|remotes|notes)\//.test(name)
}
