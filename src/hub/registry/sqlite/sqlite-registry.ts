import type { SqliteDatabase } from '../../../storage/sqlite/sqlite-database.ts'
import { GitError } from '../../../errors.ts'
import { textIn } from '../../../storage/sqlite/row-values.ts'
import type { Registry } from '../registry.ts'
import * as namespaces from './namespace-rows.ts'
import * as outbox from './outbox-rows.ts'
import { RegistryDatabase } from './registry-database.ts'
import { listRepositories } from './repository-list.ts'
import * as repositories from './repository-rows.ts'
import * as tokens from './token-rows.ts'

export interface SqliteRegistryOptions {
  /**
   * An open database, from a driver (`packstone/storage/sqlite/…`). It belongs to the registry, which closes it. Its engine needs the
   * extension FTS5, which all of ours have.
   */
  readonly database: SqliteDatabase
  /** How long, in milliseconds, to try for a lock that other processes hold, before failing with `LOCKED`. Default 30 000. */
  readonly lockTimeout?: number
}

/**
 * Creates a registry in an SQLite database, for any number of processes. Tables are made or brought up to date by the first call. A
 * page of a million repositories costs what it shows; a search for three letters or more costs what it finds.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function createSqliteRegistry(options: SqliteRegistryOptions): Registry {
  const { lockTimeout = 30_000 } = options
  if (!Number.isSafeInteger(lockTimeout) || lockTimeout < 0) {
    throw new GitError('INVALID_ARGUMENT', `lockTimeout is ${lockTimeout}; expected milliseconds, 0 or more`)
  }
  const database = new RegistryDatabase(options.database, lockTimeout)
  return {
    location: database.location,

    createNamespace: (record) =>
      database.transact('durable', (sql) => namespaces.insertNamespace(sql, record)),
    findNamespace: (name) => database.run((sql) => namespaces.findNamespace(sql, name)),
    listNamespaces: (page) => database.run((sql) => namespaces.listNamespaces(sql, page)),
    deleteNamespace: (name) => database.transact('durable', (sql) => namespaces.deleteNamespace(sql, name)),

    createRepository: (repository) =>
      database.transact('durable', (sql) => repositories.insertRepository(sql, repository)),
    findRepository: (namespace, name) =>
      database.run((sql) => repositories.findRepository(sql, namespace, name)),
    readRepository: (id) => database.run((sql) => repositories.readRepository(sql, id)),
    listRepositories: (query) => database.run((sql) => listRepositories(sql, query)),
    finishRepository: (id, result) =>
      database.transact('durable', (sql) => repositories.finishRepository(sql, id, result)),
    renewLease: (id, leaseUntil, work) =>
      database.transact('durable', (sql) => repositories.renewLease(sql, id, leaseUntil, work)),
    takeLease: (id, now, leaseUntil) =>
      database.transact('durable', (sql) => repositories.takeLease(sql, id, now, leaseUntil)),
    listStale: (now, limit) => database.run((sql) => repositories.listStale(sql, now, limit)),
    recordPush: (id, at) =>
      database.transact('lazy', (sql) => {
        repositories.recordPush(sql, id, at)
      }),
    deleteRepository: (id, deletion) =>
      database.transact('durable', (sql) => repositories.deleteRepository(sql, id, deletion)),
    findTombstone: (namespace, name) =>
      database.run((sql) => repositories.findTombstone(sql, namespace, name)),
    listCleanups: (limit) =>
      database.run((sql) =>
        sql('SELECT id FROM packstone_hub_cleanups ORDER BY id LIMIT ?')
          .all(limit)
          .map((row) => textIn(row, 'id')),
      ),
    finishCleanup: (id) =>
      database.transact('durable', (sql) => {
        sql('DELETE FROM packstone_hub_cleanups WHERE id = ?').run(id)
      }),

    createToken: (token, creation) =>
      database.transact('durable', (sql) => tokens.createToken(sql, token, creation)),
    findToken: (id) => database.run((sql) => tokens.findToken(sql, id)),
    findTokenByHash: (hash) => database.run((sql) => tokens.findTokenByHash(sql, hash)),
    listTokens: (query) => database.run((sql) => tokens.listTokens(sql, query)),
    revokeToken: (id, at, events = []) =>
      database.transact('durable', (sql) => tokens.revokeToken(sql, id, at, events)),

    appendEvents: (repository, events) =>
      database.transact('durable', (sql) => {
        outbox.insertEvents(sql, repository, events)
      }),
    listOutboxes: (limit, after = '') => database.run((sql) => outbox.listOutboxes(sql, limit, after)),
    readEvents: (repository, limit) => database.run((sql) => outbox.readEvents(sql, repository, limit)),
    dropEvents: (repository, sequences) =>
      database.transact('lazy', (sql) => {
        outbox.dropEvents(sql, repository, sequences)
      }),
    markPending: (repository, at) =>
      database.transact('lazy', (sql) => outbox.markPending(sql, repository, at)),
    clearPending: (repository, marks) =>
      database.transact('lazy', (sql) => {
        outbox.clearPending(sql, repository, marks)
      }),
    listPending: (limit, after = '') => database.run((sql) => outbox.listPending(sql, limit, after)),

    close() {
      database.close()
      return Promise.resolve()
    },
  }
}
