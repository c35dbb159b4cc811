import type { Bucket } from '../../../storage/manifest/bucket.ts'
import type { RetryPolicy } from '../../../storage/manifest/retrying-bucket.ts'
import type { PendingMark } from '../records.ts'
import type { Registry } from '../registry.ts'
import * as namespaces from './bucket-namespaces.ts'
import { createBucketOutbox } from './bucket-outbox.ts'
import * as repositories from './bucket-repositories.ts'
import { createNumbers, type BucketState } from './bucket-state.ts'
import * as tokens from './bucket-tokens.ts'
import { JsonObjects } from './json-objects.ts'
import { objectKeys } from './object-keys.ts'

export interface BucketRegistryOptions {
  /** An object store that honours conditional puts, from `packstone/storage/r2` or `packstone/storage/s3`. */
  readonly bucket: Bucket
  /** Begins the keys of all objects. Nothing else may be below it. Default `hub/`. */
  readonly prefix?: string
  /** How often calls that may succeed later are repeated. */
  readonly retries?: RetryPolicy
}

/**
 * Creates a registry in an object store, for any number of processes: where there is a bucket and no database. Everything about a
 * repository (its record, its tokens, its events) is one object, and every change one conditional put.
 *
 * One repository or token costs one to three requests. A list looks at every record of its namespace, by a request for each thousand of
 * them and one for each that changed since they were last listed: that does for some ten thousands.
 */
export function createBucketRegistry(options: BucketRegistryOptions): Registry {
  const random = (): string => crypto.randomUUID()
  const state: BucketState = {
    objects: new JsonObjects(options.bucket, random, options.retries),
    keys: objectKeys(options.prefix ?? 'hub/'),
    nextNumber: createNumbers(),
    random,
  }
  const { objects, keys } = state
  const outbox = createBucketOutbox(state)

  const listMarks = async (prefix: string): Promise<(PendingMark & { repository: string; key: string })[]> =>
    (await objects.list(prefix)).map(({ key }) => {
      const [repository = '', made = ''] = key.slice(keys.marks.length).split('/')
      const [mark, at = 0] = made.split('-')
      return { repository, mark: Number(mark), at: Number(at), key }
    })

  return {
    location: objects.location,

    createNamespace: (record) => namespaces.createNamespace(state, record),
    findNamespace: (name) => namespaces.findNamespace(state, name),
    listNamespaces: (page) => namespaces.listNamespaces(state, page),
    deleteNamespace: (name) => namespaces.deleteNamespace(state, name),

    createRepository: (repository) => repositories.createRepository(state, repository),
    findRepository: (namespace, name) => repositories.findRepository(state, namespace, name),
    readRepository: (id) => repositories.readRepository(state, id),
    listRepositories: (query) => repositories.listRepositories(state, query),
    finishRepository: (id, result) => repositories.finishRepository(state, id, result),
    renewLease: (id, leaseUntil, work) => repositories.renewLease(state, id, leaseUntil, work),
    takeLease: (id, now, leaseUntil) => repositories.takeLease(state, id, now, leaseUntil),
    listStale: (now, limit) => repositories.listStale(state, now, limit),
    recordPush: (id, at) => repositories.recordPush(state, id, at),
    deleteRepository: (id, deletion) => repositories.deleteRepository(state, id, deletion),
    findTombstone: (namespace, name) => repositories.findTombstone(state, namespace, name),
    listCleanups: (limit) => repositories.listCleanups(state, limit),
    finishCleanup: (id) => repositories.finishCleanup(state, id),

    createToken: (token, creation) => tokens.createToken(state, token, creation),
    findToken: (id) => tokens.findToken(state, id),
    findTokenByHash: (hash) => tokens.findTokenByHash(state, hash),
    listTokens: (query) => tokens.listTokens(state, query),
    revokeToken: (id, at, events = []) => tokens.revokeToken(state, id, at, events),

    appendEvents: (repository, events) => outbox.append(repository, events),
    listOutboxes: (limit, after) => outbox.list(limit, after),
    readEvents: (repository, limit) => outbox.read(repository, limit),
    dropEvents: (repository, sequences) => outbox.drop(repository, sequences),
    async markPending(repository, at) {
      const mark = state.nextNumber()
      await objects.write(keys.mark(repository, { mark, at }), {})
      return mark
    },
    async clearPending(repository, marks) {
      const cleared = (await listMarks(keys.marksOf(repository))).filter(({ mark }) => marks.includes(mark))
      await objects.delete(cleared.map(({ key }) => key))
    },
    async listPending(limit, after = '') {
      const pending = new Map<string, PendingMark[]>()
      for (const { repository, mark, at } of await listMarks(keys.marks)) {
        if (repository <= after) continue
        pending.set(repository, [...(pending.get(repository) ?? []), { mark, at }])
      }
      return [...pending].slice(0, limit).map(([repository, marks]) => ({ repository, marks }))
    },

    close: () => Promise.resolve(),
  }
}
