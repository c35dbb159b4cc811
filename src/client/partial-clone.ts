import { setInGitConfig } from '../config/config-edit.ts'
import { parseGitConfig, type GitConfig } from '../config/git-config.ts'
import { GitError } from '../errors.ts'
import type { Repository } from '../repository/repository.ts'

/** What a repository's config says of a remote that may have promised objects (git's technical/partial-clone). */
export interface PartialClone {
  /** The remote's name in the config. */
  readonly remote: string
  /** Whether the repository is, or becomes, a partial clone of this remote: what is fetched from it may name what is absent. */
  readonly isPromisor: boolean
  /** What the remote is asked to leave out. */
  readonly filter: string | undefined
  /** Whether the filter was asked for, and is not merely what the config says. */
  readonly isAsked: boolean
}

export const DEFAULT_REMOTE = 'origin'

/**
 * Puts together what was asked for and what the config says, as git does: a partial clone goes on to fetch with its filter.
 *
 * @param filter `false` for everything.
 * @throws GitError `INVALID_ARGUMENT`
 */
export function planPartialClone(
  config: GitConfig,
  remote: string,
  filter: string | false | undefined,
): PartialClone {
  if (remote === '' || /[\n\0]/.test(remote))
    throw new GitError('INVALID_ARGUMENT', `'${remote}' is not the name of a remote`)
  if (typeof filter === 'string') assertFilter(filter)
  const isRegistered = config.getBool(`remote.${remote}.promisor`, false)
  const usual = isRegistered ? config.get(`remote.${remote}.partialclonefilter`) : undefined
  return {
    remote,
    isPromisor: isRegistered || typeof filter === 'string',
    filter: filter === false ? undefined : (filter ?? usual),
    isAsked: typeof filter === 'string',
  }
}

/** @throws GitError `INVALID_ARGUMENT` */
export function assertFilter(filter: string): void {
  if (!/^[!-~]+$/.test(filter))
    throw new GitError('INVALID_ARGUMENT', `'${filter.slice(0, 80)}' is not an object filter`)
}

/**
 * Writes into a repository's config that it is a partial clone, as git does, so that git may work on with it: the promisor, the filter of
 * later fetches unless there is one already, and the remote's address where there is none.
 *
 * @throws GitError `UNSUPPORTED` for a repository of format 0 with extensions that format 1 would give another meaning
 */
export async function registerPartialClone(
  { storage }: Repository,
  { remote, filter }: PartialClone,
  url: string,
): Promise<void> {
  const before = await storage.readConfig()
  const config = parseGitConfig(before)
  let text = before
  const set = (key: string, value: string): void => {
    text = setInGitConfig(text, key, value)
  }
  if (config.getInt('core.repositoryformatversion', 0) < 1) set('core.repositoryformatversion', '1')
  if (config.get(`remote.${remote}.url`) === undefined) set(`remote.${remote}.url`, url)
  if (!config.getBool(`remote.${remote}.promisor`, false)) set(`remote.${remote}.promisor`, 'true')
  const hasFilter = config.get(`remote.${remote}.partialclonefilter`) !== undefined
  if (filter !== undefined && !hasFilter) set(`remote.${remote}.partialclonefilter`, filter)
  if (text !== before) await storage.writeConfig(text)
}
