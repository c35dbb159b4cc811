import { GitError } from '../../errors.ts'
import { hexLengthOf, type ObjectFormatName } from '../../object/object-format.ts'
import { assertEventLimit } from '../event-texts.ts'
import type { RepositoryStorage } from '../repository-storage.ts'
import type { GarbageSchedule } from './garbage.ts'
import { numberIn, textIn } from './row-values.ts'
import { commitToDatabase, packFileId } from './sqlite-commit.ts'
import { readDerivedFile, writeDerivedFile } from './sqlite-derived.ts'
import { findFile, openSqliteFile, readRanges } from './sqlite-file.ts'
import { listRefRows, readRef } from './sqlite-refs.ts'
import { createSqliteFile } from './sqlite-staged-file.ts'
import type { SqliteStore } from './sqlite-store.ts'
import type { Statements } from './statements.ts'

export interface SqliteRepositoryParts {
  readonly store: SqliteStore
  readonly garbage: GarbageSchedule
  readonly key: string
  readonly id: number
  readonly objectFormat: ObjectFormatName
}

/** Opens a repository of a database. Nothing of it is remembered: every call asks the database. */
export function openSqliteRepository(parts: SqliteRepositoryParts): RepositoryStorage {
  const { store, garbage, key, id, objectFormat } = parts
  const location = `${store.location}:${key}`
  let open = true

  const assertOpen = (): void => {
    if (!open) throw new GitError('INVALID_ARGUMENT', `${location} was closed; open it again`)
  }
  const assertThere = (sql: Statements): void => {
    if (sql.hasRepository.get(id) === undefined) throw new GitError('NOT_FOUND', `${location} was deleted`)
  }
  /** What is read before the repository is seen to be there was read while it was. */
  const read = async <T>(work: (sql: Statements) => T): Promise<T> => {
    assertOpen()
    return store.run((sql) => {
      const result = work(sql)
      assertThere(sql)
      return result
    })
  }

  const noPack = (name: string): GitError =>
    new GitError('NOT_FOUND', `${location} has no pack ${name}; list packs again`, {
      details: { pack: name },
    })

  return {
    location,
    objectFormat,
    loose: undefined,

    listPacks: () =>
      read((sql) =>
        sql.listPacks.all(id).map((row) => ({
          name: textIn(row, 'name'),
          packSize: numberIn(row, 'pack_size'),
          indexSize: numberIn(row, 'index_size'),
          modified: numberIn(row, 'modified'),
          ...(row['mask'] === null ? {} : { partial: true }),
          ...(row['promisor'] === 0 ? {} : { promisor: true }),
        })),
      ),

    async openPackFile(name, kind) {
      const place = await read((sql) => {
        const file = packFileId(sql, id, name, kind)
        return file === undefined ? undefined : findFile(sql, file)
      })
      if (place !== undefined) return openSqliteFile(store, place, `${name}.${kind} of ${location}`)
      throw noPack(name)
    },

    async readPackMask(name) {
      const row = await read((sql) => {
        const pack = sql.findPack.get(id, name)
        const mask = pack?.['mask']
        return pack && { mask: typeof mask === 'number' ? findFile(sql, mask) : null }
      })
      if (row === undefined) throw noPack(name)
      const { mask } = row
      if (mask === null) return undefined
      const what = `the mask of ${name} of ${location}`
      if (mask === undefined) throw new GitError('CORRUPT_INDEX', `${what} is lost; restore the database`)
      const [bytes] = await readRanges(store, mask, what, [{ offset: 0, length: mask.size }])
      return bytes
    },

    async createFile() {
      await read(() => undefined)
      await garbage.collectIfDue()
      return createSqliteFile(store)
    },

    async freshenPacks(names) {
      assertOpen()
      await store.transact('lazy', (sql) => {
        assertThere(sql)
        const now = Date.now()
        for (const name of names) sql.freshenPack.run(now, id, name)
      })
    },

    async readDerived(pack, kind) {
      await read(() => undefined)
      return readDerivedFile(store, id, pack, kind)
    },

    async writeDerived(pack, kind, bytes) {
      await read(() => undefined)
      await writeDerivedFile(store, id, pack, kind, bytes)
    },

    readRefs: (names) => read((sql) => names.map((name) => readRef(sql, id, name))),

    listRefs: (prefix) => read((sql) => listRefRows(sql, id, prefix)),

    async commit(step) {
      assertOpen()
      const place = { store, repository: id, hexLength: hexLengthOf(objectFormat), assertThere }
      return commitToDatabase(place, step)
    },

    async readEvents(limit) {
      assertEventLimit(limit)
      return read((sql) =>
        sql.listEvents
          .all(id, limit)
          .map((row) => ({ sequence: numberIn(row, 'sequence'), text: textIn(row, 'text') })),
      )
    },

    async dropEvents(through) {
      assertOpen()
      await store.transact('lazy', (sql) => {
        assertThere(sql)
        sql.dropEvents.run(id, through)
      })
    },

    readConfig: () => read((sql) => textIn(sql.readConfig.get(id) ?? { config: '' }, 'config')),

    async writeConfig(text) {
      assertOpen()
      await store.transact('durable', (sql) => {
        assertThere(sql)
        sql.writeConfig.run(text, id)
      })
    },

    readShallow: () => read((sql) => sql.listShallow.all(id).map((row) => textIn(row, 'id'))),

    close() {
      open = false
      return Promise.resolve()
    },
  }
}
