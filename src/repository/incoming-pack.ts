import type { HashAlgorithm } from '../codec/ports.ts'
import { GitError } from '../errors.ts'
import type { ObjectId } from '../object/object-id.ts'
import type { ObjectDatabase } from '../odb/object-database.ts'
import type { ObjectView } from '../odb/object-view.ts'
import type { PackFile } from '../odb/pack-file.ts'
import type { IndexerThreads } from '../pack/indexer/indexer-threads.ts'
import type { ProgressListener } from '../pack/progress.ts'
import type { RefEdit, RefOutcome } from '../refs/ref-edit.ts'
import type { ShallowChange } from '../storage/repository-storage.ts'
import { changeShallowList } from '../storage/shallow-list.ts'
import type { StorageCommit } from '../storage/repository-storage.ts'
import { assertNoCollision } from './assert-no-collision.ts'
import { beginFsck, type ReceivedChecks } from './check-received.ts'
import { findMissingAnywhere, findMissingObject } from './find-missing-object.ts'
import type { MissingObject } from './find-unpromised.ts'
import { readReceived, type ReadReceivedOptions } from './read-received.ts'
import { keepPacks } from './relied-packs.ts'
import type { ReceivedPack } from './received-pack.ts'

export interface IncomingPackOptions extends ReceivedChecks {
  readonly signal?: AbortSignal
  readonly onProgress?: ProgressListener
  /** The largest pack that is taken, in bytes. */
  readonly maxPackBytes?: number
  /** The largest object that is taken, inflated, in bytes. */
  readonly maxObjectBytes?: number
  /**
   * The pack comes from a remote that has promised to hand out later what it left out: what its objects name may be absent. Default
   * false.
   */
  readonly promisor?: boolean
  /** Names received objects instead of the format's own hash: the same digests, with collision detection. */
  readonly objectHash?: HashAlgorithm
  /** Threads that index a large pack together with this one; a repository that was opened without `indexPack` does without. */
  readonly threads?: IndexerThreads
}

/** The files of a pack in quarantine, for who must show them to another program. */
export interface QuarantinedPack {
  /** `pack-<checksum>` */
  readonly name: string
  /** The `.idx` file. */
  readonly index: Uint8Array
  /** The `.pack` file in pieces, not to be written to. */
  read(): AsyncIterable<Uint8Array>
}

/** A received pack in quarantine: verified, and invisible to everybody else until it is committed. */
export interface IncomingPack {
  /** Objects in the pack, those added to complete a thin pack included. */
  readonly objectCount: number
  /** The files themselves; `undefined` for a push without objects. To be read before `commit` and `discard`. */
  readonly pack: QuarantinedPack | undefined
  /** Existing objects plus the received ones. Closed by `commit` and `discard`. */
  readonly view: ObjectView
  /**
   * The first object that is missing from what the tips reach, or `undefined` when they are connected. What existing refs
   * reach is taken as complete; in a partial clone what packs of promisors name may be missing.
   *
   * @param shallow how `commit` is going to change the list of shallow commits. Nothing is taken as complete then: a new boundary may
   * promise parents that never came.
   */
  findMissing(tips: readonly ObjectId[], shallow?: ShallowChange): Promise<MissingObject | undefined>
  /** Opens another view of the same objects, with the boundary that `commit` is going to make. Close it when done. */
  openView(shallow: ShallowChange): Promise<ObjectView>
  /** The one atomic step: makes the pack visible and applies the ref edits. Nothing is kept when every edit is rejected. */
  commit(refs: readonly RefEdit[], options: IncomingCommitOptions): Promise<readonly RefOutcome[]>
  /** Drops everything received. Idempotent, and harmless after `commit`. */
  discard(): Promise<void>
}

export interface IncomingCommitOptions {
  /** All edits or none. */
  readonly atomic: boolean
  /** What the repository's outbox is told in the same step. */
  readonly events?: StorageCommit['events']
  /** How the list of shallow commits changes; absent, it stays. */
  readonly shallow?: ShallowChange
}

/**
 * Receives a pack: reads the stream to its end, verifies it, and completes it when it is thin. What fits the memory budget is worked on
 * in memory; anything larger is stored as it comes.
 *
 * @param source `undefined` for a push without a pack.
 * @throws GitError `CORRUPT_PACK`, `MISSING_BASE`, `FSCK`, `LIMIT_EXCEEDED`, `UNSUPPORTED`; the signal's reason. Nothing is kept.
 */
export async function receivePack(
  database: ObjectDatabase,
  source: AsyncIterable<Uint8Array> | undefined,
  options: IncomingPackOptions & Pick<ReadReceivedOptions, 'indexPack'>,
): Promise<IncomingPack> {
  if (source === undefined) return quarantine(database, undefined)
  const view = await database.openView()
  try {
    const fsck = beginFsck(options, database.format)
    const received = await readReceived(database, view, source, options, fsck?.visit)
    if (received === undefined) return await quarantine(database, undefined)
    try {
      const { file, indexing } = received
      file.promisor = options.promisor === true
      await fsck?.finish(file, view)
      const { packIndex: index, addedCount } = indexing
      await assertNoCollision({ index, addedCount, pack: () => file }, view, database.storage.loose)
      return await quarantine(database, received)
    } catch (error) {
      await received.discard()
      throw error
    }
  } finally {
    await view.close()
  }
}

async function quarantine(
  database: ObjectDatabase,
  received: ReceivedPack | undefined,
): Promise<IncomingPack> {
  const pack = received?.file
  const view = await database.openViewWith(pack)
  const openBounded = (change: ShallowChange): Promise<ObjectView> =>
    database.openViewWith(pack, changeShallowList([...view.shallow], change))
  return {
    objectCount: received?.indexing.objectCount ?? 0,
    pack: received && {
      name: received.file.name,
      index: received.indexing.index,
      read: () => received.read(),
    },
    view,
    findMissing: async (tips, shallow) => {
      if (shallow === undefined) return findMissingAndKeep(database, view, tips, pack)
      const bounded = await openBounded(shallow)
      try {
        return await findMissingAnywhere(bounded, tips)
      } finally {
        await bounded.close()
      }
    },
    openView: openBounded,
    commit: async (refs, options) => {
      try {
        return await commitReceived(database, received, refs, options)
      } finally {
        await view.close()
        await received?.discard()
      }
    },
    discard: async () => {
      await view.close()
      await received?.discard()
    },
  }
}

/** How often what is missing is looked for anew because packs that were relied on have gone meanwhile. */
const ATTEMPTS = 5

/**
 * Finds what is missing, and sees to it that what is there stays there: packs with objects that no ref keeps alive are freshened. Where
 * one of them was removed before that, it is looked again.
 */
async function findMissingAndKeep(
  database: ObjectDatabase,
  view: ObjectView,
  tips: readonly ObjectId[],
  pack: PackFile | undefined,
): Promise<MissingObject | undefined> {
  const { storage } = database
  for (let attempt = 1; ; attempt++) {
    const current = attempt === 1 ? view : await database.openViewWith(pack)
    try {
      const relied = new Set<string>()
      const missing = await findMissingObject(current, storage, tips, pack?.index, relied)
      if (missing !== undefined || (await keepPacks(storage, relied))) return missing
    } finally {
      if (current !== view) await current.close()
    }
    if (attempt === ATTEMPTS) {
      throw new GitError(
        'CONFLICT',
        'the packs of the repository change faster than they can be looked at; try again',
      )
    }
  }
}

async function commitReceived(
  database: ObjectDatabase,
  received: ReceivedPack | undefined,
  refs: readonly RefEdit[],
  { atomic, shallow, events }: IncomingCommitOptions,
): Promise<readonly RefOutcome[]> {
  const { storage } = database
  const file = received?.file
  const staged = await received?.stage()
  let committed = false
  try {
    const result = await storage.commit({
      ...(staged === undefined
        ? {}
        : { addPacks: [file?.promisor ? { ...staged, promisor: true } : staged] }),
      ...(shallow === undefined ? {} : { shallow }),
      ...(events === undefined ? {} : { events }),
      refs,
      atomic,
    })
    committed = result.packsCommitted
    const reachability = received?.indexing.reachability
    if (committed && received !== undefined && reachability !== undefined) {
      database.announce(received.file)
      await storage.writeDerived(received.file.name, 'reachability', reachability)
    }
    return result.refs
  } finally {
    if (!committed && staged !== undefined) await Promise.all([staged.pack.discard(), staged.index.discard()])
  }
}
