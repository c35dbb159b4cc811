import { nameKey } from '../../names.ts'
import type {
  NamespaceRecord,
  PendingMark,
  RegistryEvent,
  RepositoryRecord,
  TokenRecord,
} from '../records.ts'
import { tokenState } from '../records.ts'
import type { Registry, RegistryEvents } from '../registry.ts'
import { pageOf, sortRepositories } from './memory-pages.ts'

/**
 * Creates a registry that keeps everything in memory, for one process: for tests, and as the model for a registry of your own.
 */
export function createMemoryRegistry(): Registry {
  const namespaces = new Map<string, NamespaceRecord>()
  const repositories = new Map<string, RepositoryRecord>()
  /** Ids by namespace and name. */
  const names = new Map<string, string>()
  const tombstones = new Map<string, string>()
  const cleanups = new Set<string>()
  /** In the order in which they were made. */
  const tokens = new Map<string, TokenRecord>()
  const outboxes = new Map<string, RegistryEvent[]>()
  let lastSequence = 0
  const pending = new Map<string, readonly PendingMark[]>()
  let lastMark = 0

  const address = (namespace: string, name: string): string => `${nameKey(namespace)}/${nameKey(name)}`
  const append = (repository: string, texts: RegistryEvents = []): void => {
    if (texts.length === 0) return
    const added = texts.map((text) => ({ sequence: ++lastSequence, text }))
    outboxes.set(repository, [...(outboxes.get(repository) ?? []), ...added])
  }
  const repositoriesOf = (namespace: string): RepositoryRecord[] =>
    [...repositories.values()].filter((record) => nameKey(record.namespace) === nameKey(namespace))
  const listingOf = (record: NamespaceRecord): NamespaceRecord & { readonly repositoryCount: number } => ({
    ...record,
    repositoryCount: repositoriesOf(record.name).length,
  })
  const touchNamespace = (name: string, at: number): void => {
    const record = namespaces.get(nameKey(name))
    if (record === undefined) return
    namespaces.set(nameKey(name), { ...record, updatedAt: Math.max(record.updatedAt, at) })
  }
  /** Changes a repository that is not ready; false for every other. */
  const changeUnready = (id: string, change: (record: RepositoryRecord) => RepositoryRecord): boolean => {
    const record = repositories.get(id)
    if (record === undefined || record.status === 'ready') return false
    repositories.set(id, change(record))
    return true
  }
  const tokensOf = (repository: string): TokenRecord[] =>
    [...tokens.values()].filter((token) => token.repository === repository).reverse()

  // Each method runs to its end at once, which makes it one step.
  const registry: Synchronous<Registry> = {
    location: 'memory',

    createNamespace: (record) => {
      const key = nameKey(record.name)
      if (namespaces.has(key)) return false
      namespaces.set(key, record)
      return true
    },
    findNamespace: (name) => {
      const record = namespaces.get(nameKey(name))
      return record && listingOf(record)
    },
    listNamespaces: (page) => {
      const rows = [...namespaces]
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .map(([key, record]) => ({ row: listingOf(record), position: { value: key, id: '' } }))
      return pageOf(rows, page, 'asc')
    },
    deleteNamespace: (name) => {
      const key = nameKey(name)
      if (!namespaces.has(key)) return 'absent'
      if (repositoriesOf(name).length > 0) return 'not-empty'
      namespaces.delete(key)
      for (const tombstone of tombstones.keys()) {
        if (tombstone.startsWith(`${key}/`)) tombstones.delete(tombstone)
      }
      return 'deleted'
    },

    createRepository: ({ record, token, events: texts }) => {
      const place = address(record.namespace, record.name)
      if (names.has(place)) return false
      const { createdAt } = record
      const namespace = namespaces.get(nameKey(record.namespace))
      if (namespace === undefined) {
        namespaces.set(nameKey(record.namespace), {
          name: record.namespace,
          jurisdiction: 'unrestricted',
          createdAt,
          updatedAt: createdAt,
        })
      }
      touchNamespace(record.namespace, createdAt)
      names.set(place, record.id)
      tombstones.delete(place)
      repositories.set(record.id, { ...record, namespace: namespace?.name ?? record.namespace })
      tokens.set(token.id, token)
      append(record.id, texts)
      return true
    },
    findRepository: (namespace, name) => repositories.get(names.get(address(namespace, name)) ?? ''),
    readRepository: (id) => repositories.get(id),
    listRepositories: (query) => {
      const search = nameKey(query.search ?? '')
      const found = repositoriesOf(query.namespace).filter(({ name }) => nameKey(name).includes(search))
      return pageOf(sortRepositories(found, query.sort, query.direction), query, query.direction)
    },
    finishRepository: (id, result) => {
      const finished = changeUnready(id, (record) => ({
        ...record,
        status: 'ready',
        leaseUntil: null,
        work: null,
        updatedAt: result.updatedAt,
        defaultBranch: result.defaultBranch ?? record.defaultBranch,
        source: result.source === undefined ? record.source : result.source,
        lastPushAt: result.lastPushAt === undefined ? record.lastPushAt : result.lastPushAt,
      }))
      if (finished) append(id, result.events)
      return finished
    },
    renewLease: (id, leaseUntil, work) =>
      changeUnready(id, (record) => ({ ...record, leaseUntil, work: work ?? record.work })),
    takeLease: (id, now, leaseUntil) => {
      const record = repositories.get(id)
      if (record === undefined || record.leaseUntil === null || record.leaseUntil > now) return false
      return changeUnready(id, (stale) => ({ ...stale, leaseUntil }))
    },
    listStale: (now, limit) =>
      [...repositories.values()]
        .filter(({ leaseUntil }) => leaseUntil !== null && leaseUntil <= now)
        .sort((left, right) => (left.leaseUntil ?? 0) - (right.leaseUntil ?? 0))
        .slice(0, limit),
    recordPush: (id, at) => {
      const record = repositories.get(id)
      if (record === undefined) return
      repositories.set(id, {
        ...record,
        lastPushAt: Math.max(record.lastPushAt ?? at, at),
        updatedAt: Math.max(record.updatedAt, at),
      })
    },
    deleteRepository: (id, { tombstone, events: texts }) => {
      const record = repositories.get(id)
      if (record === undefined) return false
      const place = address(record.namespace, record.name)
      repositories.delete(id)
      names.delete(place)
      for (const token of tokensOf(id)) tokens.delete(token.id)
      touchNamespace(record.namespace, record.updatedAt)
      if (tombstone) tombstones.set(place, id)
      cleanups.add(id)
      append(id, texts)
      return true
    },
    findTombstone: (namespace, name) => tombstones.get(address(namespace, name)),
    listCleanups: (limit) => [...cleanups].sort().slice(0, limit),
    finishCleanup: (id) => {
      cleanups.delete(id)
    },

    createToken: (token, { keepOver, events: texts }) => {
      if (!repositories.has(token.repository)) return false
      tokens.set(token.id, token)
      const over = tokensOf(token.repository).filter(
        (other) => tokenState(other, token.createdAt) !== 'active',
      )
      for (const forgotten of over.slice(keepOver)) tokens.delete(forgotten.id)
      append(token.repository, texts)
      return true
    },
    findToken: (id) => tokens.get(id),
    findTokenByHash: (hash) => [...tokens.values()].find((token) => token.hash === hash),
    listTokens: ({ repository, state, now, limit, offset }) => {
      const found = tokensOf(repository).filter(
        (token) => state === undefined || tokenState(token, now) === state,
      )
      return { tokens: found.slice(offset, offset + limit), total: found.length }
    },
    revokeToken: (id, at, texts) => {
      const token = tokens.get(id)
      if (token === undefined || token.revokedAt !== null) return false
      tokens.set(id, { ...token, revokedAt: at })
      append(token.repository, texts)
      return true
    },

    appendEvents: append,
    listOutboxes: (limit, after = '') =>
      [...outboxes.keys()]
        .filter((name) => name > after)
        .sort()
        .slice(0, limit),
    readEvents: (repository, limit) => (outboxes.get(repository) ?? []).slice(0, limit),
    dropEvents: (repository, sequences) => {
      const dropped = new Set(sequences)
      const left = (outboxes.get(repository) ?? []).filter(({ sequence }) => !dropped.has(sequence))
      if (left.length === 0) outboxes.delete(repository)
      else outboxes.set(repository, left)
    },
    markPending: (repository, at) => {
      const mark = ++lastMark
      pending.set(repository, [...(pending.get(repository) ?? []), { mark, at }])
      return mark
    },
    clearPending: (repository, marks) => {
      const left = (pending.get(repository) ?? []).filter(({ mark }) => !marks.includes(mark))
      if (left.length === 0) pending.delete(repository)
      else pending.set(repository, left)
    },
    listPending: (limit, after = '') =>
      [...pending]
        .filter(([repository]) => repository > after)
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .slice(0, limit)
        .map(([repository, marks]) => ({ repository, marks })),

    close: () => undefined,
  }

  return withPromises(registry)
}

/** An interface whose methods answer at once. */
type Synchronous<Interface> = {
  readonly [Name in keyof Interface]: Interface[Name] extends (...given: infer Given) => Promise<infer Result>
    ? (...given: Given) => Result
    : Interface[Name]
}

/** Makes promises of answers that are given at once. */
function withPromises(registry: Synchronous<Registry>): Registry {
  const members = Object.entries(registry).map(([name, member]) => [
    name,
    typeof member === 'function' ? promising(member as (...given: unknown[]) => unknown) : member,
  ])
  // The types of members are lost when they are listed; each is what it was, with a promise around its answer.
  return Object.fromEntries(members) as Registry
}

function promising(answer: (...given: unknown[]) => unknown): (...given: unknown[]) => Promise<unknown> {
  return (...given) =>
    new Promise((resolve) => {
      resolve(answer(...given))
    })
}
