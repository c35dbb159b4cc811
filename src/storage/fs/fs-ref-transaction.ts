import type { ObjectFormatName } from '../../object/object-format.ts'
import type { PackedRefs } from '../../refs/packed-refs.ts'
import type { RefEdit, RefOutcome } from '../../refs/ref-edit.ts'
import { judgeRefEdits } from '../../refs/ref-transaction.ts'
import { applyLoose, writeLooseValues } from './apply-loose.ts'
import { applyPacked } from './apply-packed.ts'
import type { GitDirectory } from './git-directory.ts'
import { acquireLock, type LockFile } from './lock-file.ts'
import { listLooseNames } from './loose-refs.ts'
import { changesOf, splitChanges, usesPackedRefs } from './ref-change.ts'
import { acquireRefLocks, type RefLocks } from './ref-locks.ts'
import type { RefReader } from './ref-reader.ts'
import { readRefSnapshot, type StoredRefSnapshot } from './ref-snapshot.ts'
import { findBranchLoggedByHead, reflogAdditions } from './reflog-additions.ts'
import { appendReflog, removeReflog } from './reflog-files.ts'
import type { RepositorySettings } from './repository-settings.ts'
import type { Turns } from './turns.ts'

/** How often locks are taken anew because something in their way is gone by the time the edits are judged. */
const MAX_ATTEMPTS = 5

/** What a ref transaction needs of its repository. */
export interface RefTransactionPlace {
  readonly directory: GitDirectory
  readonly settings: RepositorySettings
  readonly reader: RefReader
  readonly objectFormat: ObjectFormatName
  /** Where transactions of this process queue for the lock of packed-refs. */
  readonly turns: Turns
}

/**
 * Edits that have been judged, with the refs locked so that the judgement holds until they are applied.
 *
 * An atomic transaction of several edits happens in one step (see {@link applyPacked}). The exception are edits that
 * packed-refs cannot express, namely of `HEAD` and of symbolic refs: those follow it one by one, each atomic, while
 * their locks are still held. Only a crash in between leaves them undone; no one else can come between.
 */
export interface PreparedRefs {
  readonly outcomes: readonly RefOutcome[]
  /** Applies what was judged to take place. */
  apply(): Promise<readonly RefOutcome[]>
  /** Gives up the locks. Must be called in any case. */
  release(): Promise<void>
}

/** The locks and readings that a judgement rests on. */
interface Attempt {
  readonly locks: RefLocks
  readonly packedLock: PackedRefsLock | undefined
  readonly packed: PackedRefs
  readonly snapshot: StoredRefSnapshot
  readonly branchLoggedByHead: string | undefined
  readonly outcomes: readonly RefOutcome[]
}

/** The lock of packed-refs, together with the turn within this process. */
interface PackedRefsLock {
  readonly file: LockFile
  release(): Promise<void>
}

async function acquirePackedRefsLock({
  directory,
  settings,
  reader,
  turns,
}: RefTransactionPlace): Promise<PackedRefsLock | undefined> {
  const endTurn = await turns.take(reader.packed.path)
  let file: LockFile | undefined
  try {
    file = await acquireLock(directory, reader.packed.path, { timeout: settings.packedRefsTimeout })
  } finally {
    if (file === undefined) endTurn()
  }
  if (file === undefined) return undefined
  const held = file
  return { file: held, release: () => held.release().finally(endTurn) }
}

/** How the edits of a transaction belong together. */
export interface RefTransactionMode {
  /** All edits or none. */
  readonly atomic: boolean
  /** Whatever is applied is applied in one step, as an atomic transaction is. */
  readonly inOneStep: boolean
}

/** Locks the refs of a transaction and judges its edits. Nothing is changed yet. */
export async function prepareRefs(
  place: RefTransactionPlace,
  edits: readonly RefEdit[],
  options: RefTransactionMode,
): Promise<PreparedRefs> {
  for (let attempt = 1; ; attempt++) {
    const prepared = await tryPrepare(place, edits, { ...options, isLast: attempt === MAX_ATTEMPTS })
    const { locks, packedLock, outcomes } = prepared
    const release = async (): Promise<void> => {
      await packedLock?.release()
      await locks.release()
    }
    if (outcomes.every(({ kind, name }) => kind === 'rejected' || locks.held.has(name))) {
      return { outcomes, release, apply: () => applyRefs(place, edits, prepared, options) }
    }
    await release()
  }
}

async function tryPrepare(
  place: RefTransactionPlace,
  edits: readonly RefEdit[],
  { atomic, inOneStep, isLast }: RefTransactionMode & { readonly isLast: boolean },
): Promise<Attempt> {
  const { directory, settings, reader } = place
  const names = edits.map((edit) => edit.name)
  const branchLoggedByHead = await findBranchLoggedByHead(directory, settings, reader, edits)
  const locks = await acquireRefLocks(
    directory,
    branchLoggedByHead === undefined ? names : [...names, 'HEAD'],
    { timeout: settings.refLockTimeout, together: atomic },
  )
  let packedLock: PackedRefsLock | undefined
  try {
    const isUnlockable = atomic && locks.busy.size + locks.obstructed.size > 0
    const isPacked = usesPackedRefs(edits.length, inOneStep)
    const needsPacked = isPacked || edits.some((edit) => edit.target === null)
    if (needsPacked && !isUnlockable) {
      packedLock = await acquirePackedRefsLock(place)
    }
    const packed = await reader.packed.read()
    const snapshot = await readRefSnapshot(reader.place, packed, names)
    const locked = new Set(isLast ? [...locks.busy, ...locks.obstructed] : locks.busy)
    if (branchLoggedByHead !== undefined && locked.has('HEAD')) locked.add(branchLoggedByHead)
    if (needsPacked && !isUnlockable && packedLock === undefined) {
      for (const { name, target } of edits) if (isPacked || target === null) locked.add(name)
    }
    const outcomes = judgeRefEdits(edits, snapshot, { atomic, locked })
    return { locks, packedLock, packed, snapshot, branchLoggedByHead, outcomes }
  } catch (error) {
    await packedLock?.release()
    await locks.release()
    throw error
  }
}

async function applyRefs(
  place: RefTransactionPlace,
  edits: readonly RefEdit[],
  { locks, packedLock, packed, snapshot, branchLoggedByHead, outcomes }: Attempt,
  { inOneStep }: RefTransactionMode,
): Promise<readonly RefOutcome[]> {
  const { directory, settings, reader, objectFormat } = place
  const changes = changesOf(edits, outcomes)
  const split = splitChanges(changes, usesPackedRefs(changes.length, inOneStep))
  await writeLooseValues(locks, split.loose)
  const logging = { objectFormat, branchLoggedByHead }
  for (const addition of await reflogAdditions(directory, settings, reader, changes, logging)) {
    await appendReflog(directory, addition)
  }
  if (packedLock !== undefined) {
    await applyPacked({ directory, lock: packedLock.file, packed, snapshot }, split.packed)
  }
  const obstructed = await applyLoose(directory, locks, split.loose)
  for (const { edit } of changes) if (edit.target === null) await removeReflog(directory, edit.name)
  if (obstructed.size === 0) return outcomes
  return Promise.all(
    outcomes.map(async (outcome) => {
      const { name } = outcome
      if (!obstructed.has(name)) return outcome
      const [conflictsWith = `${name}/`] = await listLooseNames(reader.place, `${name}/`)
      return { kind: 'rejected', name, rejection: { reason: 'name-conflict', conflictsWith } } as const
    }),
  )
}
