import { GitError } from '../../errors.ts'
import type { ObjectFormatName } from '../../object/object-format.ts'
import { assertRefName } from '../../refs/ref-name.ts'
import { assertNoLoose, checkForkOptions, noSource } from '../fork-options.ts'
import { initialConfig } from '../initial-config.ts'
import { assertRepositoryKey } from '../repository-key.ts'
import type { Storage } from '../storage.ts'
import { collectExpired, GarbageSchedule } from './garbage.ts'
import { dropAllPacks } from './pack-rows.ts'
import { numberIn, textIn } from './row-values.ts'
import type { SqliteDatabase, SqliteRow } from './sqlite-database.ts'
import { insertFork } from './sqlite-fork.ts'
import { writeRef } from './sqlite-refs.ts'
import { openSqliteRepository } from './sqlite-repository.ts'
import { SqliteStore } from './sqlite-store.ts'

export interface SqliteStorageOptions {
  /** An open database, from a driver (`packstone/storage/sqlite/…`). It belongs to the storage, which closes it. */
  readonly database: SqliteDatabase
  /** Bytes of a file in one row, from 4096 to 1 MiB. Default 1 MiB. Files that are there keep theirs. */
  readonly chunkBytes?: number
  /**
   * How long, in milliseconds, files that no pack owns are kept: staged ones after they were last written or read, those of dropped
   * packs for clones that read them. Default one hour.
   */
  readonly gracePeriod?: number
  /** How long, in milliseconds, to try for a lock that other processes hold, before failing with `LOCKED`. Default 30 000. */
  readonly lockTimeout?: number
}

/** A storage in a database, with what only it can do. */
export interface SqliteStorage extends Storage {
  /** Removes all files whose grace period is over. A part of it is done whenever a new file is begun. */
  collectGarbage(): Promise<void>
}

const DEFAULT_PAGE = 1000
const MAX_CHUNK_BYTES = 1 << 20
const HOUR = 3_600_000

/**
 * Creates a storage that keeps repositories in an SQLite database, any number in one, for any number of processes. Tables are made
 * or brought up to date by the first call.
 *
 * Reflogs are not kept.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function createSqliteStorage(options: SqliteStorageOptions): SqliteStorage {
  const store = new SqliteStore(options.database, {
    chunkBytes: checkWhole('chunkBytes', options.chunkBytes ?? MAX_CHUNK_BYTES, 4096, MAX_CHUNK_BYTES),
    gracePeriod: checkWhole('gracePeriod', options.gracePeriod ?? HOUR, 0, Number.MAX_SAFE_INTEGER),
    patience: checkWhole('lockTimeout', options.lockTimeout ?? 30_000, 0, 0x7fffffff),
  })
  const { location } = store
  const garbage = new GarbageSchedule(store)

  return {
    location,

    async open(key) {
      assertRepositoryKey(key)
      const row = await store.run((sql) => sql.findRepository.get(key))
      if (row === undefined) return undefined
      const objectFormat = objectFormatIn(row, `${location}:${key}`)
      return openSqliteRepository({ store, garbage, key, id: numberIn(row, 'id'), objectFormat })
    },

    async create(key, { objectFormat, head }) {
      assertRepositoryKey(key)
      assertRefName(head)
      const id = await store.transact('durable', (sql) => {
        const row = sql.insertRepository.get(key, objectFormat, initialConfig(objectFormat))
        if (row === undefined) throw taken(location, key)
        writeRef(sql, numberIn(row, 'id'), 'HEAD', { kind: 'symbolic', target: head }, undefined)
        return numberIn(row, 'id')
      })
      return openSqliteRepository({ store, garbage, key, id, objectFormat })
    },

    async fork(sourceKey, key, options) {
      assertRepositoryKey(sourceKey)
      assertRepositoryKey(key)
      const created = await store.transact('durable', (sql) => {
        const source = sql.findRepository.get(sourceKey)
        if (source === undefined) throw noSource(location, sourceKey)
        const objectFormat = objectFormatIn(source, `${location}:${sourceKey}`)
        const begin = checkForkOptions(options, objectFormat)
        assertNoLoose(begin.loose, location)
        const id = insertFork(sql, store, { source: numberIn(source, 'id'), key, objectFormat, begin })
        if (id === undefined) throw taken(location, key)
        return { id, objectFormat }
      })
      return openSqliteRepository({ store, garbage, key, ...created })
    },

    async delete(key) {
      assertRepositoryKey(key)
      return store.transact('durable', (sql) => {
        const row = sql.findRepository.get(key)
        if (row === undefined) return false
        const id = numberIn(row, 'id')
        dropAllPacks(sql, store, id)
        sql.deleteEvents.run(id)
        sql.deleteRefs.run(id)
        sql.deleteShallow.run(id)
        sql.deleteRepository.run(id)
        return true
      })
    },

    async list({ limit = DEFAULT_PAGE, cursor = '' } = {}) {
      checkWhole('limit', limit, 1, Number.MAX_SAFE_INTEGER - 1)
      const rows = await store.run((sql) => sql.listRepositories.all(cursor, limit + 1))
      const keys = rows.slice(0, limit).map((row) => textIn(row, 'key'))
      const last = keys.at(-1)
      return rows.length > limit && last !== undefined ? { keys, cursor: last } : { keys }
    },

    async collectGarbage() {
      await collectExpired(store, Infinity)
    },

    close() {
      store.close()
      return Promise.resolve()
    },
  }
}

function taken(location: string, key: string): GitError {
  return new GitError('ALREADY_EXISTS', `${location} has a repository ${key} already`, { details: { key } })
}

function checkWhole(option: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw new GitError(
    'INVALID_ARGUMENT',
    `${option} is ${value}; expected a whole number from ${least} to ${most}`,
  )
}

function objectFormatIn(row: SqliteRow, location: string): ObjectFormatName {
  const name = textIn(row, 'object_format')
  if (name === 'sha1' || name === 'sha256') return name
  throw new GitError(
    'UNSUPPORTED',
    `${location} has the object format '${name}', which this release does not know`,
  )
}
