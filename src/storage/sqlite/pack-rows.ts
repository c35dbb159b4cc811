import { numberIn } from './row-values.ts'
import { chunkId } from './schema.ts'
import type { SqliteRow } from './sqlite-database.ts'
import type { SqliteStore } from './sqlite-store.ts'
import type { Statements } from './statements.ts'

/** Forgets a pack of a repository. Files that no other repository has stay for a while, for those who read them. */
export function dropPack(sql: Statements, store: SqliteStore, repository: number, name: string): void {
  const row = sql.findPack.get(repository, name)
  if (row === undefined) return
  const files = [
    ...filesIn(row),
    ...sql.listDerived.all(repository, name).map((one) => numberIn(one, 'file')),
  ]
  sql.deleteDerived.run(repository, name)
  sql.deletePack.run(repository, name)
  releaseFiles(sql, store, files)
}

/** Forgets all packs of a repository. */
export function dropAllPacks(sql: Statements, store: SqliteStore, repository: number): void {
  const files = sql.listPackFiles.all(repository).flatMap(filesIn)
  files.push(...sql.listAllDerived.all(repository).map((row) => numberIn(row, 'file')))
  sql.deleteAllDerived.run(repository)
  sql.deletePacks.run(repository)
  releaseFiles(sql, store, files)
}

/** Makes all objects of a pack visible. */
export function removeMask(sql: Statements, store: SqliteStore, repository: number, name: string): void {
  const mask = sql.findPack.get(repository, name)?.['mask']
  if (typeof mask !== 'number') return
  sql.removeMask.run(repository, name)
  releaseFiles(sql, store, [mask])
}

/** Lets files expire that no row names any more. */
export function releaseFiles(sql: Statements, store: SqliteStore, files: readonly number[]): void {
  for (const file of files) sql.releaseFile.run(store.expiry, file)
}

/** Stores bytes as a file within the transaction that is under way; it is for the caller to name it in a row. */
export function writeOwnedFile(sql: Statements, store: SqliteStore, bytes: Uint8Array): number {
  const { chunkBytes, expiry } = store
  const id = numberIn(sql.insertFile.get(chunkBytes, expiry) ?? {}, 'id')
  sql.growFile.get(bytes.length, expiry, id)
  for (let number = 0; number * chunkBytes < bytes.length; number++) {
    const from = number * chunkBytes
    sql.insertChunk.run(chunkId(id, number), bytes.subarray(from, from + chunkBytes))
  }
  sql.adoptFile.get(id)
  return id
}

function filesIn(row: SqliteRow): number[] {
  const mask = row['mask']
  const files = [numberIn(row, 'pack'), numberIn(row, 'idx')]
  return typeof mask === 'number' ? [...files, mask] : files
}
