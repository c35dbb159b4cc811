import type { ObjectFormatName } from '../../object/object-format.ts'
import { goneFromSource, type CheckedFork } from '../fork-options.ts'
import type { SharedPack } from '../storage.ts'
import { writeOwnedFile } from './pack-rows.ts'
import { numberIn, textIn } from './row-values.ts'
import { writeRef } from './sqlite-refs.ts'
import type { SqliteStore } from './sqlite-store.ts'
import type { Statements } from './statements.ts'

/** The rows of a fork, within a transaction: they name the files of the source's packs. */
export interface ForkRows {
  readonly source: number
  readonly key: string
  readonly objectFormat: ObjectFormatName
  readonly begin: CheckedFork
}

/** Writes the rows of a fork; `undefined` when the key is taken. */
export function insertFork(sql: Statements, store: SqliteStore, fork: ForkRows): number | undefined {
  const { source, key, objectFormat, begin } = fork
  const config = textIn(sql.readConfig.get(source) ?? {}, 'config')
  const row = sql.insertRepository.get(key, objectFormat, config)
  if (row === undefined) return undefined
  const id = numberIn(row, 'id')
  for (const { name, target, peeled } of begin.refs.list('')) writeRef(sql, id, name, target, peeled)
  for (const commit of begin.shallow) sql.insertShallow.run(id, commit)
  for (const pack of begin.packs) sharePack(sql, store, { source, fork: id }, pack)
  return id
}

function sharePack(
  sql: Statements,
  store: SqliteStore,
  { source, fork }: { readonly source: number; readonly fork: number },
  { name, visible }: SharedPack,
): void {
  const row = sql.findPack.get(source, name)
  if (row === undefined) throw goneFromSource(store.location, `pack ${name}`)
  const theirs = typeof row['mask'] === 'number' ? row['mask'] : null
  const mask = visible === undefined ? theirs : writeOwnedFile(sql, store, visible)
  const [pack, index, modified] = [numberIn(row, 'pack'), numberIn(row, 'idx'), numberIn(row, 'modified')]
  sql.insertPack.run(fork, name, pack, index, modified, mask, numberIn(row, 'promisor'))
  sql.shareDerived.run(fork, source, name)
}
