import { isGitError } from '../../errors.ts'
import type { DerivedFileKind } from '../repository-storage.ts'
import { removeFile } from './garbage.ts'
import { releaseFiles } from './pack-rows.ts'
import { numberIn } from './row-values.ts'
import { findFile, readRanges } from './sqlite-file.ts'
import { createSqliteFile, SqliteStagedFile } from './sqlite-staged-file.ts'
import type { SqliteStore } from './sqlite-store.ts'

/** Reads a file derived from a pack; `undefined` where there is none. */
export async function readDerivedFile(
  store: SqliteStore,
  repository: number,
  pack: string,
  kind: DerivedFileKind,
): Promise<Uint8Array | undefined> {
  const place = await store.run((sql) => {
    const row = sql.findDerived.get(repository, pack, kind)
    return row && findFile(sql, numberIn(row, 'file'))
  })
  if (place === undefined) return undefined
  try {
    const [bytes] = await readRanges(store, place, `${pack}.${kind}`, [{ offset: 0, length: place.size }])
    return bytes
  } catch (error) {
    // It was removed meanwhile, with its pack or for a new one.
    if (isGitError(error, 'NOT_FOUND')) return undefined
    throw error
  }
}

/** Keeps a file derived from a pack, in the place of the one that is there. Without its pack it is dropped. */
export async function writeDerivedFile(
  store: SqliteStore,
  repository: number,
  pack: string,
  kind: DerivedFileKind,
  bytes: Uint8Array,
): Promise<void> {
  const writer = createSqliteFile(store)
  try {
    await writer.write(bytes)
    const staged = await writer.finish()
    const id = staged instanceof SqliteStagedFile ? staged.idIn(store) : undefined
    if (id === undefined) return
    const unwanted = await store.transact('lazy', (sql) => {
      if (sql.findPack.get(repository, pack) === undefined) return id
      const old = sql.findDerived.get(repository, pack, kind)
      if (sql.adoptFile.get(id) === undefined) return undefined
      sql.writeDerived.run(repository, pack, kind, id)
      if (old !== undefined) releaseFiles(sql, store, [numberIn(old, 'file')])
      return undefined
    })
    if (unwanted !== undefined) await removeFile(store, unwanted)
  } catch (error) {
    await writer.discard()
    throw error
  }
}
