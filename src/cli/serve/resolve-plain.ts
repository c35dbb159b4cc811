import { isGitError } from '../../errors.ts'
import {
  openRepositoryFile,
  parseProtocolOptions,
  type Resolution,
  type ResolveRepository,
} from '../../http/index.ts'
import { openRepository, type OpenRepositoryOptions } from '../../repository/repository.ts'
import { createMemoryStorage } from '../../storage/memory/index.ts'
import { isRepositoryKey } from '../../storage/repository-key.ts'
import type { CreateRepositoryOptions, Storage } from '../../storage/storage.ts'
import type { BorrowedRepository, RepositoryCache } from '../../repository/repository-cache.ts'

export interface PlainAccess {
  /** Whether everybody may push, where the repository's `http.receivepack` does not say otherwise. */
  readonly allowPush: boolean
  /** How repositories begin that a push makes. Absent: it makes none. */
  readonly createOnPush?: CreateRepositoryOptions
  /** How repositories are opened. */
  readonly shared: OpenRepositoryOptions
}

const NOT_FOUND: Resolution = { kind: 'not-found' }

/**
 * Serves the repositories of a storage under their keys, with and without `.git` behind them: everybody may read unless
 * `http.uploadpack` is false.
 *
 * A push to what is not there begins with a look at its refs. That is answered as for an empty repository; the repository is made when
 * the push itself comes, so that who only looks leaves nothing behind.
 */
export function resolvePlain(
  storage: Storage,
  cache: RepositoryCache,
  access: PlainAccess,
): ResolveRepository {
  /** Goes up when a cached repository turns out to be deleted, so that those of before are opened anew. */
  let generation = 0

  const borrow = async (key: string): Promise<Resolution> => {
    const borrowed = await cache.borrow({ path: key, identity: String(generation) })
    try {
      return await judge(borrowed, access)
    } catch (error) {
      borrowed.release()
      throw error
    }
  }

  return async (path, request, service) => {
    const key = path.endsWith('.git') ? path.slice(0, -'.git'.length) : path
    if (!isRepositoryKey(key)) return NOT_FOUND
    if (!(await isThere(storage, key))) {
      if (access.createOnPush === undefined || service !== 'git-receive-pack') return NOT_FOUND
      if (request.method !== 'POST') return emptyRepository(access.createOnPush, access.shared)
      await createUnlessThere(storage, key, access.createOnPush)
    }
    try {
      return await borrow(key)
    } catch (error) {
      if (!isGitError(error, 'NOT_FOUND')) throw error
    }
    generation++
    return (await isThere(storage, key)) ? borrow(key) : NOT_FOUND
  }
}

async function isThere(storage: Storage, key: string): Promise<boolean> {
  try {
    const repository = await storage.open(key)
    await repository?.close()
    return repository !== undefined
  } catch (error) {
    // A storage may take fewer keys than there are.
    if (isGitError(error, 'INVALID_ARGUMENT')) return false
    throw error
  }
}

async function createUnlessThere(
  storage: Storage,
  key: string,
  options: CreateRepositoryOptions,
): Promise<void> {
  try {
    const repository = await storage.create(key, options)
    await repository.close()
  } catch (error) {
    // Another push was first.
    if (!isGitError(error, 'ALREADY_EXISTS')) throw error
  }
}

/** A repository that is forgotten when it was looked at. */
async function emptyRepository(
  create: CreateRepositoryOptions,
  shared: OpenRepositoryOptions,
): Promise<Resolution> {
  const repository = openRepository(await createMemoryStorage().create('empty', create), shared)
  const release = (): void => void repository.close()
  return { kind: 'found', repository, release, access: { upload: false, receive: true } }
}

async function judge({ repository, release }: BorrowedRepository, access: PlainAccess): Promise<Resolution> {
  const config = await repository.readConfig()
  return {
    kind: 'found',
    repository,
    release,
    options: parseProtocolOptions(config),
    access: {
      upload: config.getBool('http.uploadpack', true),
      receive: config.getBool('http.receivepack', access.allowPush),
      files: config.getBool('http.getanyfile', false) ? openRepositoryFile : undefined,
    },
  }
}
