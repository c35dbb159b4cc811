import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { vi } from 'vitest'
import { createFsStorage } from '../../src/storage/fs/index.ts'
import { createMemoryStorage } from '../../src/storage/memory/index.ts'
import { openNodeDatabase } from '../../src/storage/sqlite/drivers/node.ts'
import { createSqliteStorage, type SqliteStorage } from '../../src/storage/sqlite/index.ts'
import type { Storage } from '../../src/storage/storage.ts'
import type { CrashPointOptions } from '../support/crash-points.ts'

/** How the crash points of our adapters are found: each works below a folder that is there already. */
export const CRASH_ADAPTERS: Readonly<Record<string, (top: string) => CrashPointOptions>> = {
  memory,
  sqlite,
  fs,
}

function memory(): CrashPointOptions {
  return {
    createStorage: () => Promise.resolve(createMemoryStorage()),
    reopen: (storage) => Promise.resolve(storage),
    collectGarbage: () => Promise.resolve([]),
    dispose: (storage) => storage.close(),
  }
}

function sqlite(top: string): CrashPointOptions {
  const opened = new Map<Storage, { path: string; storages: SqliteStorage[] }>()
  const open = async (path: string, storages: SqliteStorage[]): Promise<SqliteStorage> => {
    const database = await openNodeDatabase({ path, synchronous: 'normal' })
    const storage = createSqliteStorage({ database, chunkBytes: 4096 })
    storages.push(storage)
    opened.set(storage, { path, storages })
    return storage
  }
  const find = (storage: Storage): { path: string; storages: SqliteStorage[] } => {
    const found = opened.get(storage)
    if (found === undefined) throw new Error('not a storage of this test')
    return found
  }
  return {
    createStorage: async () => open(join(await mkdtemp(join(top, 'sqlite-')), 'git.db'), []),
    reopen: (storage) => open(find(storage).path, find(storage).storages),
    collectGarbage: async (storage) => {
      const { path, storages } = find(storage)
      vi.setSystemTime(Date.now() + 7_200_000)
      await storages.at(-1)?.collectGarbage()
      const database = await openNodeDatabase({ path })
      const unowned = `SELECT id FROM packstone_files WHERE expires IS NOT NULL
        UNION ALL SELECT id FROM packstone_chunks WHERE id / 1048576 NOT IN (SELECT id FROM packstone_files)`
      const left = database.prepare(unowned).all()
      database.close()
      return left.map((row) => JSON.stringify(row))
    },
    dispose: async (storage) => {
      const { path, storages } = find(storage)
      for (const one of storages) await one.close()
      await rm(dirname(path), { recursive: true })
    },
  }
}

function fs(top: string): CrashPointOptions {
  const directories = new Map<Storage, string>()
  const open = (directory: string): Storage => {
    const storage = createFsStorage({ directory, durable: false })
    directories.set(storage, directory)
    return storage
  }
  const directoryOf = (storage: Storage): string => directories.get(storage) ?? ''
  return {
    createStorage: async () => open(await mkdtemp(join(top, 'fs-'))),
    reopen: (storage) => Promise.resolve(open(directoryOf(storage))),
    collectGarbage: async (storage) => {
      const directory = directoryOf(storage)
      // Staged files have the names of git's own temporary ones, which its gc removes when they are old: that is not tried here.
      const names = await readdir(directory, { recursive: true })
      const left = names.filter((name) => !/\/(?:pack|packstone)\/tmp_\w+$/.test(name))
      for (const name of left.filter((one) => /^\.packstone-/.test(one) && !one.includes('/'))) {
        await utimes(join(directory, name), 1, 1)
      }
      await storage.create('unwanted', { objectFormat: 'sha1', head: 'refs/heads/main' })
      await storage.delete('unwanted')
      const after = await readdir(directory, { recursive: true })
      return after.filter((name) => /^\.packstone-|\.lock$|\.keep$/.test(name) && !isKept(after, name))
    },
    dispose: (storage) => rm(directoryOf(storage), { recursive: true }),
  }
}

/** Whether a `.keep` file is the mark of a partial pack. */
function isKept(names: readonly string[], keep: string): boolean {
  const mask = keep.replace('/objects/pack/', '/packstone/').replace(/\.keep$/, '.visible')
  return names.includes(mask)
}
