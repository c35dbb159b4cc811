import { GitError } from '../../errors.ts'
import { assertRefName } from '../../refs/ref-name.ts'
import { createRefTable } from '../../refs/ref-table.ts'
import { initialConfig } from '../initial-config.ts'
import { assertRepositoryKey } from '../repository-key.ts'
import type { Storage } from '../storage.ts'
import { openMemoryRepository, type MemoryRepository } from './memory-repository.ts'

const DEFAULT_PAGE = 1000

/**
 * Creates a storage that keeps repositories in memory, for tests and for servers that may forget. It is also the
 * adapter to read before writing one: immutable files, and one state per repository that changes by one assignment.
 *
 * Reflogs are not kept.
 */
export function createMemoryStorage(): Storage {
  const repositories = new Map<string, MemoryRepository>()

  /* eslint-disable @typescript-eslint/require-await -- async turns what is thrown into a rejection */
  return {
    location: 'memory',

    async open(key) {
      assertRepositoryKey(key)
      const repository = repositories.get(key)
      return repository && openMemoryRepository(repository)
    },

    async create(key, { objectFormat, head }) {
      assertRepositoryKey(key)
      assertRefName(head)
      if (repositories.has(key)) {
        throw new GitError('ALREADY_EXISTS', `memory has a repository ${key} already`, { details: { key } })
      }
      const refs = createRefTable([{ name: 'HEAD', target: { kind: 'symbolic', target: head } }])
      const state = { packs: new Map(), refs, config: initialConfig(objectFormat), shallow: [] }
      const repository = { key, objectFormat, state }
      repositories.set(key, repository)
      return openMemoryRepository(repository)
    },

    async delete(key) {
      assertRepositoryKey(key)
      const repository = repositories.get(key)
      if (repository === undefined) return false
      repository.state = undefined
      return repositories.delete(key)
    },

    async list({ limit = DEFAULT_PAGE, cursor = '' } = {}) {
      if (!Number.isSafeInteger(limit) || limit < 1) {
        throw new GitError('INVALID_ARGUMENT', `limit is ${limit}; expected a whole number of at least 1`)
      }
      const keys = [...repositories.keys()].filter((key) => key > cursor).sort()
      const page = keys.slice(0, limit)
      const last = page.at(-1)
      return keys.length > page.length && last !== undefined ? { keys: page, cursor: last } : { keys: page }
    },

    async close() {
      // Nothing is held open: what is stored lives as long as this object.
    },
  }
  /* eslint-enable @typescript-eslint/require-await */
}
