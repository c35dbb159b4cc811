import { GitError } from '../../errors.ts'
import type { RefEdit } from '../../refs/ref-edit.ts'
import { assertRefEdits, judgeRefEdits } from '../../refs/ref-transaction.ts'
import { assertEventTexts } from '../event-texts.ts'
import { assertPackName } from '../pack-name.ts'
import type { NewPack, ShallowChange, StorageCommit, StorageCommitResult } from '../repository-storage.ts'
import { assertShallowChange } from '../shallow-list.ts'
import type { StagedFile } from '../stored-file.ts'
import { dropPack, removeMask } from './pack-rows.ts'
import { numberIn } from './row-values.ts'
import { refSnapshot, writeRef } from './sqlite-refs.ts'
import { expiredError, SqliteStagedFile } from './sqlite-staged-file.ts'
import type { SqliteStore } from './sqlite-store.ts'
import type { Statements } from './statements.ts'

/** Where a commit goes. */
export interface CommitPlace {
  readonly store: SqliteStore
  /** The repository's id. */
  readonly repository: number
  readonly hexLength: number
  /** @throws GitError `NOT_FOUND` when the repository was deleted. */
  readonly assertThere: (sql: Statements) => void
}

/** A pack to add, with its files' ids. */
interface StagedPack {
  readonly name: string
  readonly pack: number
  readonly index: number
  readonly promisor: boolean
}

/** The one atomic step, as one transaction: judged by what it sees, and on the device when it ends. */
export async function commitToDatabase(
  place: CommitPlace,
  step: StorageCommit,
): Promise<StorageCommitResult> {
  const { store, repository } = place
  const { addPacks = [], dropPacks = [], refs: edits = [], atomic = false, shallow } = step
  assertRefEdits(edits, place.hexLength)
  if (shallow !== undefined) assertShallowChange(shallow, place.hexLength)
  const added = addPacks.map((pack) => checkNewPack(store, pack))

  const result = await store.transact('durable', (sql): StorageCommitResult => {
    place.assertThere(sql)
    const outcomes = judgeRefEdits(edits, refSnapshot(sql, repository), { atomic })
    if (edits.length > 0 && outcomes.every((outcome) => outcome.kind === 'rejected')) {
      return { refs: outcomes, packsCommitted: false }
    }
    for (const pack of added) addPack(sql, place, pack)
    const kept = new Set(added.map(({ name }) => name))
    for (const name of dropPacks) {
      if (!kept.has(name) && isPackBefore(sql, repository, name, step.dropOnlyBefore))
        dropPack(sql, store, repository, name)
    }
    if (shallow !== undefined) changeShallow(sql, repository, shallow)
    edits.forEach(({ name, target, peeled }: RefEdit, at) => {
      if (outcomes[at]?.kind === 'applied') writeRef(sql, repository, name, target, peeled)
    })
    for (const text of assertEventTexts(step.events?.(outcomes) ?? [])) sql.insertEvent.run(repository, text)
    return { refs: outcomes, packsCommitted: true }
  })
  if (result.packsCommitted) {
    for (const { pack, index } of addPacks) {
      giveAway(pack)
      giveAway(index)
    }
  }
  return result
}

/** Whether a pack was last written or freshened before a moment, where there is one to keep to. */
function isPackBefore(
  sql: Statements,
  repository: number,
  name: string,
  moment: number | undefined,
): boolean {
  const row = moment === undefined ? undefined : sql.findPack.get(repository, name)
  return row === undefined || moment === undefined || numberIn(row, 'modified') < moment
}

/** Adds a pack. Of a name that is there the old files stay, as young as the new ones, which are left to be removed. */
function addPack(
  sql: Statements,
  { store, repository }: CommitPlace,
  { name, pack, index, promisor }: StagedPack,
): void {
  const now = Date.now()
  if (sql.findPack.get(repository, name) !== undefined) {
    sql.freshenPack.run(now, repository, name)
    removeMask(sql, store, repository, name)
    if (promisor) sql.markPromisor.run(repository, name)
    sql.condemnFile.run(pack)
    sql.condemnFile.run(index)
    return
  }
  for (const file of [pack, index]) {
    if (sql.adoptFile.get(file) === undefined) throw expiredError(store)
  }
  sql.insertPack.run(repository, name, pack, index, now, null, promisor ? 1 : 0)
}

function changeShallow(sql: Statements, repository: number, { add, remove }: ShallowChange): void {
  for (const id of remove) sql.removeShallow.run(repository, id)
  for (const id of add) sql.insertShallow.run(repository, id)
}

function checkNewPack(store: SqliteStore, { name, pack, index, promisor }: NewPack): StagedPack {
  assertPackName(name)
  return { name, pack: stagedId(store, pack), index: stagedId(store, index), promisor: promisor === true }
}

function stagedId(store: SqliteStore, file: StagedFile): number {
  const id = file instanceof SqliteStagedFile ? file.idIn(store) : undefined
  if (id !== undefined) return id
  throw new GitError(
    'INVALID_ARGUMENT',
    'a pack to commit must be a file staged by this storage, neither discarded nor committed before',
  )
}

function giveAway(file: StagedFile): void {
  if (file instanceof SqliteStagedFile) file.giveAway()
}

/** The id of a listed pack's file. */
export function packFileId(
  sql: Statements,
  repository: number,
  name: string,
  kind: 'pack' | 'idx',
): number | undefined {
  const row = sql.findPack.get(repository, name)
  return row && numberIn(row, kind)
}
