import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { openNodeDatabase } from '../../../src/storage/sqlite/drivers/node.ts'
import {
  createSqliteStorage,
  type SqliteDatabase,
  type SqliteStorage,
  type SqliteStorageOptions,
} from '../../../src/storage/sqlite/index.ts'
import type { NewPack, RepositoryStorage } from '../../../src/storage/repository-storage.ts'
import type { StagedFile } from '../../../src/storage/stored-file.ts'

export const CREATE = { objectFormat: 'sha1', head: 'refs/heads/main' } as const

/** A path for a database, in a folder that goes when the test is over. */
export async function temporaryDatabase(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'packstone-sqlite-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'git.db')
}

export function openDatabase(path: string): Promise<SqliteDatabase> {
  return openNodeDatabase({ path, synchronous: 'normal' })
}

/** Opens a storage on a connection of its own, closed when the test is over. */
export async function openStorage(
  path: string,
  options: Omit<SqliteStorageOptions, 'database'> = {},
): Promise<SqliteStorage> {
  const storage = createSqliteStorage({ database: await openDatabase(path), ...options })
  onTestFinished(() => storage.close())
  return storage
}

/** Asks a database for the column `value` of one row, beside the storage. */
export async function queryNumber(path: string, sql: string): Promise<number> {
  const database = await openDatabase(path)
  try {
    return Number(database.prepare(sql).get()?.['value'])
  } finally {
    database.close()
  }
}

export async function stage(
  repository: RepositoryStorage,
  kind: 'pack' | 'idx',
  bytes: Uint8Array,
): Promise<StagedFile> {
  const writer = await repository.createFile(kind)
  await writer.write(bytes)
  return writer.finish()
}

/** Stages a pack of that many bytes, and an index of ten. */
export async function stagePack(
  repository: RepositoryStorage,
  digit: string,
  size: number,
): Promise<NewPack> {
  const pack = await stage(repository, 'pack', new Uint8Array(size).fill(1))
  return { name: `pack-${digit.repeat(40)}`, pack, index: await stage(repository, 'idx', new Uint8Array(10)) }
}
