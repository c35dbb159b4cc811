import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { GitConfig } from '../../config/git-config.ts'
import {
  openRepositoryFile,
  parseProtocolOptions,
  type ProtocolOptions,
  type ReceivePackOptions,
  type Resolution,
  type ResolveRepository,
  type ServiceName,
} from '../../http/index.ts'
import { createProgramHooks } from '../hooks/program-hooks.ts'
import { findBareDirectory } from './bare-directory.ts'
import { readRemoteUser, userVariables, type RemoteUser } from './remote-user.ts'
import type { BorrowedRepository, RepositoryCache } from '../../repository/repository-cache.ts'
import { readSkipList } from './skip-list.ts'

export interface BareAccess {
  /** Whether everybody may push, where the repository's `http.receivepack` does not say otherwise. */
  readonly allowPush: boolean
  /** Whether a repository is served only when it has a file `git-daemon-export-ok`. */
  readonly exportOk: boolean
  /** A header that names the user: whoever has it may push, where `http.receivepack` does not say otherwise. */
  readonly remoteUserHeader?: string
  /** Whether programs in the repositories' hooks directories are run. */
  readonly runHooks: boolean
}

const NOT_FOUND: Resolution = { kind: 'not-found' }

/**
 * Serves the bare repositories below a folder: everybody may read unless `http.uploadpack` is false, push where
 * `http.receivepack` is true, and read files as dumb clients do where `http.getanyfile` is true. That last one is true by default
 * in git; here it has to be asked for, because it shows objects that no ref, or only a hidden one, reaches. The config is read anew
 * for every request.
 *
 * @param root the folder, as `realpath` gives it.
 */
export function resolveBare(root: string, cache: RepositoryCache, access: BareAccess): ResolveRepository {
  const known = new WeakMap<GitConfig, ServingSettings>()
  const settingsOf = (config: GitConfig): ServingSettings => {
    const settings = known.get(config) ?? parseServingSettings(config)
    known.set(config, settings)
    return settings
  }
  return async (path, request, service) => {
    const directory = await findBareDirectory(root, path, (found) => cache.has(found))
    if (directory === undefined) return NOT_FOUND
    if (access.exportOk && !(await exists(join(directory.path, 'git-daemon-export-ok')))) return NOT_FOUND
    const borrowed = await cache.borrow(directory)
    let kept = false
    try {
      const config = await borrowed.repository.readConfig()
      const visit = { directory: directory.path, request, service, config, settings: settingsOf(config) }
      const resolution = await judge(borrowed, access, visit)
      kept = resolution.kind === 'found'
      return resolution
    } finally {
      if (!kept) borrowed.release()
    }
  }
}

/** What the config says about serving, whoever comes. */
interface ServingSettings {
  readonly isBare: boolean
  readonly options: ProtocolOptions
  readonly upload: boolean
  readonly files: boolean
}

function parseServingSettings(config: GitConfig): ServingSettings {
  return {
    isBare: config.getBool('core.bare', true),
    options: parseProtocolOptions(config),
    upload: config.getBool('http.uploadpack', true),
    files: config.getBool('http.getanyfile', false),
  }
}

interface Visit {
  /** The path of the repository. */
  readonly directory: string
  readonly request: Request
  readonly service: ServiceName
  readonly config: GitConfig
  readonly settings: ServingSettings
}

async function judge(
  { repository, release }: BorrowedRepository,
  access: BareAccess,
  visit: Visit,
): Promise<Resolution> {
  const { config, settings } = visit
  // A push would move the branch under the feet of whoever works in that folder.
  if (!settings.isBare) return NOT_FOUND
  const user = readRemoteUser(visit.request, access.remoteUserHeader)
  const { uploadPack, receivePack } = settings.options
  return {
    kind: 'found',
    repository,
    release,
    options: {
      uploadPack,
      receivePack:
        visit.service === 'git-receive-pack'
          ? { ...receivePack, ...(await pushOptions(visit, user, access)) }
          : receivePack,
    },
    access: {
      upload: settings.upload,
      receive: config.getBool('http.receivepack', access.allowPush || user !== undefined),
      files: settings.files ? openRepositoryFile : undefined,
    },
  }
}

/** What only a push needs: who pushes, the skip list, and hook programs. */
async function pushOptions(
  { directory, config, settings }: Visit,
  user: RemoteUser | undefined,
  access: BareAccess,
): Promise<Partial<ReceivePackOptions>> {
  const { fsck } = settings.options.receivePack
  const skipList = config.get('receive.fsck.skipList')
  return {
    ...(user === undefined ? {} : { identity: `${user.name} <${user.email}>` }),
    ...(skipList === undefined || fsck === undefined || fsck === false
      ? {}
      : { fsck: { ...fsck, skip: await readSkipList(resolve(directory, skipList)) } }),
    ...(access.runHooks
      ? {
          hooks: await createProgramHooks({
            gitDirectory: directory,
            hooksDirectory: resolve(directory, config.get('core.hooksPath') ?? 'hooks'),
            env: user === undefined ? {} : userVariables(user),
          }),
        }
      : {}),
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
