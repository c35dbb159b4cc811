import { GitError } from '../../errors.ts'
import type { ObjectFormatName } from '../../object/object-format.ts'
import { assertRefName } from '../../refs/ref-name.ts'
import { createRefTable } from '../../refs/ref-table.ts'
import { assertNoLoose, checkForkOptions, goneFromSource, noSource } from '../fork-options.ts'
import { initialConfig } from '../initial-config.ts'
import { assertRepositoryKey } from '../repository-key.ts'
import type { RepositoryStorage } from '../repository-storage.ts'
import type { SharedPack, Storage } from '../storage.ts'
import {
  openMemoryRepository,
  type MemoryPack,
  type MemoryRepository,
  type MemoryState,
} from './memory-repository.ts'

const DEFAULT_PAGE = 1000

/**
 * Creates a storage that keeps repositories in memory, for tests and for servers that may forget. It is also the
 * adapter to read before writing one: immutable files, and one state per repository that changes by one assignment.
 *
 * Reflogs are not kept.
 */
export function createMemoryStorage(): Storage {
  const repositories = new Map<string, MemoryRepository>()
  const add = (
    key: string,
    objectFormat: ObjectFormatName,
    begin: Omit<MemoryState, 'events' | 'lastEvent'>,
  ): RepositoryStorage => {
    if (repositories.has(key)) {
      throw new GitError('ALREADY_EXISTS', `memory has a repository ${key} already`, { details: { key } })
    }
    const repository = { key, objectFormat, state: { ...begin, events: [], lastEvent: 0 } }
    repositories.set(key, repository)
    return openMemoryRepository(repository)
  }

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
      const refs = createRefTable([{ name: 'HEAD', target: { kind: 'symbolic', target: head } }])
      return add(key, objectFormat, {
        packs: new Map(),
        refs,
        config: initialConfig(objectFormat),
        shallow: [],
      })
    },

    async fork(sourceKey, key, options) {
      assertRepositoryKey(sourceKey)
      assertRepositoryKey(key)
      const source = repositories.get(sourceKey)
      if (source?.state === undefined) throw noSource('memory', sourceKey)
      const { refs, shallow, packs, loose } = checkForkOptions(options, source.objectFormat)
      assertNoLoose(loose, 'memory')
      const { config } = source.state
      return add(key, source.objectFormat, { packs: sharePacks(source.state, packs), refs, config, shallow })
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

/** The packs of a fork: the same bytes, seen through masks. */
function sharePacks(source: MemoryState, packs: readonly SharedPack[]): ReadonlyMap<string, MemoryPack> {
  return new Map(
    packs.map(({ name, visible }) => {
      const pack = source.packs.get(name)
      if (pack === undefined) throw goneFromSource('memory', `pack ${name}`)
      return [name, visible === undefined ? pack : { ...pack, visible: visible.slice() }]
    }),
  )
}
