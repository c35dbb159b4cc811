import { collectBytes } from '../bytes/collect.ts'
import { concatBytes } from '../bytes/concat.ts'
import type { HashAlgorithm } from '../codec/ports.ts'
import { encodeHex } from '../bytes/hex.ts'
import { GitError, isGitError } from '../errors.ts'
import { FsckSession } from '../object/fsck-session.ts'
import { isFsckError, type FsckFinding, type FsckOptions } from '../object/fsck.ts'
import type { ObjectId } from '../object/object-id.ts'
import { readObject, type RawObject } from '../object/object-reader.ts'
import type { ObjectDatabase } from '../odb/object-database.ts'
import type { ObjectView } from '../odb/object-view.ts'
import { PackFile } from '../odb/pack-file.ts'
import { ResidentPackData } from '../odb/resident-pack-data.ts'
import { indexPack, type PackWithIndex } from '../pack/indexer/index-pack.ts'
import { parsePackHeader } from '../pack/pack-header.ts'
import { PackIndex } from '../pack/pack-index.ts'
import { PackReachability } from '../pack/reachability/pack-reachability.ts'
import type { ProgressListener } from '../pack/progress.ts'
import type { RefEdit, RefOutcome } from '../refs/ref-edit.ts'
import type { NewPack } from '../storage/repository-storage.ts'
import type { StagedFile } from '../storage/stored-file.ts'
import { assertNoCollision } from './assert-no-collision.ts'
import { findMissingAnywhere, findMissingObject, type MissingObject } from './find-missing-object.ts'

export interface IncomingPackOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: ProgressListener
  /** The largest pack that is taken, in bytes. */
  readonly maxPackBytes?: number
  /** The most objects that one pack may have. */
  readonly maxObjects?: number
  /** The largest object that is taken, inflated, in bytes. */
  readonly maxObjectBytes?: number
  /** When given, every received object is checked by git's rules; an error refuses the pack. */
  readonly fsck?: FsckOptions
  /** Is told what the check finds, errors and warnings, while the pack is read. */
  readonly onFinding?: (id: ObjectId, finding: FsckFinding) => void
  /** Names received objects instead of the format's own hash: the same digests, with collision detection. */
  readonly objectHash?: HashAlgorithm
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
   * reach is taken as complete.
   *
   * @param shallow the boundary that `commit` is going to store, where it differs from the stored one. Nothing is taken as complete
   * then: a new boundary may promise parents that never came.
   */
  findMissing(tips: readonly ObjectId[], shallow?: readonly ObjectId[]): Promise<MissingObject | undefined>
  /** Opens another view of the same objects, with the boundary that `commit` is going to store. Close it when done. */
  openView(shallow: readonly ObjectId[]): Promise<ObjectView>
  /** The one atomic step: makes the pack visible and applies the ref edits. Nothing is kept when every edit is rejected. */
  commit(refs: readonly RefEdit[], options: IncomingCommitOptions): Promise<readonly RefOutcome[]>
  /** Drops everything received. Idempotent, and harmless after `commit`. */
  discard(): Promise<void>
}

export interface IncomingCommitOptions {
  /** All edits or none. */
  readonly atomic: boolean
  /** The whole new list of shallow commits; absent, the list stays. */
  readonly shallow?: readonly ObjectId[]
}

/** What is written in one call to the storage. */
const WRITE_SIZE = 1 << 20

/**
 * Receives a pack: reads the stream to its end, verifies it, and completes it when it is thin.
 *
 * @param source `undefined` for a push without a pack.
 * @throws GitError `CORRUPT_PACK`, `MISSING_BASE`, `FSCK`, `LIMIT_EXCEEDED`, `UNSUPPORTED`; the signal's reason. Nothing is kept.
 */
export async function receivePack(
  database: ObjectDatabase,
  source: AsyncIterable<Uint8Array> | undefined,
  options: IncomingPackOptions,
): Promise<IncomingPack> {
  if (source === undefined) return quarantine(database, undefined)
  const bytes = await collectBytes(source, options.maxPackBytes ?? Number.MAX_SAFE_INTEGER)
  const view = await database.openView()
  try {
    assertObjectCount(bytes, options.maxObjects)
    const indexed = await indexReceived(database, view, bytes, options)
    return await quarantine(database, indexed.objectCount === 0 ? undefined : indexed)
  } finally {
    await view.close()
  }
}

async function indexReceived(
  database: ObjectDatabase,
  view: ObjectView,
  bytes: Uint8Array,
  options: IncomingPackOptions,
): Promise<PackWithIndex> {
  const { format, codecs } = database
  const { signal, onProgress, fsck, maxObjectBytes, objectHash } = options
  const session = fsck === undefined ? undefined : new FsckSession(format, fsck)
  const indexed = await indexPack(bytes, {
    format,
    codecs,
    reachability: true,
    readBases: (ids) => readAll(view, ids),
    ...(session === undefined
      ? {}
      : {
          visit: (type, body, id) => {
            judgeFindings(session.check(type, body, id), id, options)
          },
        }),
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(maxObjectBytes === undefined ? {} : { maxObjectBytes }),
    ...(objectHash === undefined ? {} : { objectHash }),
  })
  let opened: PackFile | undefined
  const index = new PackIndex(indexed.index, format.idLength)
  const pack = (): PackFile => (opened ??= residentPack(database, indexed))
  try {
    if (session !== undefined) await checkSpecialFiles(session, pack, view, options)
    await assertNoCollision({ index, addedCount: indexed.addedCount, pack }, view, database.storage.loose)
  } finally {
    await opened?.close()
  }
  return indexed
}

function assertObjectCount(pack: Uint8Array, maxObjects: number | undefined): void {
  if (maxObjects === undefined) return
  const count = parsePackHeader(pack)
  if (count <= maxObjects) return
  throw new GitError(
    'LIMIT_EXCEEDED',
    `pack has ${count} objects, which exceeds the maximum of ${maxObjects}`,
    {
      details: { limit: 'maxObjects' },
    },
  )
}

/** Passes findings on, and refuses the object when one of them is an error. */
function judgeFindings(
  findings: readonly FsckFinding[],
  rawId: Uint8Array,
  options: IncomingPackOptions,
): void {
  if (findings.length === 0) return
  const id = encodeHex(rawId)
  for (const finding of findings) options.onFinding?.(id, finding)
  const error = findings.find(isFsckError)
  if (error === undefined) return
  throw new GitError('FSCK', `object ${id}: ${error.id}: ${error.message}`, {
    details: { id, fsck: error.id },
  })
}

async function checkSpecialFiles(
  session: FsckSession,
  openPack: () => PackFile,
  view: ObjectView,
  options: IncomingPackOptions,
): Promise<void> {
  for (const special of session.pending()) {
    const pack = openPack()
    const rank = pack.index.find(special.id)
    const object = rank >= 0 ? (pack.tryRead(rank) ?? null) : await readObject(view, special.id)
    judgeFindings(session.checkPending(special, object), special.id, options)
  }
}

async function readAll(view: ObjectView, ids: readonly Uint8Array[]): Promise<(RawObject | null)[]> {
  const objects: (RawObject | null)[] = []
  for (const id of ids) objects.push(await readObject(view, id))
  return objects
}

function residentPack(database: ObjectDatabase, indexed: PackWithIndex): PackFile {
  const { format, codecs, caches } = database
  const index = new PackIndex(indexed.index, format.idLength)
  const data = new ResidentPackData(concatBytes(indexed.pieces))
  const reachability =
    indexed.reachability === undefined
      ? undefined
      : new PackReachability(indexed.reachability, indexed.checksum, indexed.objectCount, format)
  return new PackFile(
    `pack-${encodeHex(indexed.checksum)}`,
    index,
    data,
    codecs,
    caches.objects,
    reachability,
  )
}

async function quarantine(
  database: ObjectDatabase,
  indexed: PackWithIndex | undefined,
): Promise<IncomingPack> {
  const pack = indexed === undefined ? undefined : residentPack(database, indexed)
  const view = pack === undefined ? await database.openView() : await database.openViewWith(pack)
  const { storage } = database
  return {
    objectCount: indexed?.objectCount ?? 0,
    pack:
      indexed === undefined || pack === undefined
        ? undefined
        : { name: pack.name, index: indexed.index, read: () => readPieces(indexed) },
    view,
    findMissing: async (tips, shallow) => {
      if (shallow === undefined) return findMissingObject(view, storage, tips, pack?.index)
      const bounded = await database.openViewWith(pack, shallow)
      try {
        return await findMissingAnywhere(bounded, tips)
      } finally {
        await bounded.close()
      }
    },
    openView: (shallow) => database.openViewWith(pack, shallow),
    commit: async (refs, options) => {
      try {
        const staged =
          indexed === undefined || pack === undefined ? undefined : await stage(database, pack.name, indexed)
        return await commitStaged(database, staged, indexed?.reachability, refs, options)
      } finally {
        await view.close()
      }
    },
    discard: () => view.close(),
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- what is in memory need not be waited for
async function* readPieces(indexed: PackWithIndex): AsyncGenerator<Uint8Array, void, undefined> {
  yield* indexed.pieces
}

async function commitStaged(
  database: ObjectDatabase,
  staged: NewPack | undefined,
  reachability: Uint8Array | undefined,
  refs: readonly RefEdit[],
  { atomic, shallow }: IncomingCommitOptions,
): Promise<readonly RefOutcome[]> {
  let committed = false
  try {
    const result = await database.storage.commit({
      ...(staged === undefined ? {} : { addPacks: [staged] }),
      ...(shallow === undefined ? {} : { shallow }),
      refs,
      atomic,
    })
    committed = result.packsCommitted
    if (committed && staged !== undefined && reachability !== undefined) {
      await database.storage.writeDerived(staged.name, 'reachability', reachability)
    }
    return result.refs
  } finally {
    if (!committed && staged !== undefined) await discardAll([staged.pack, staged.index])
  }
}

/** Writes pack and index to the storage, where nobody sees them yet. */
async function stage(database: ObjectDatabase, name: string, indexed: PackWithIndex): Promise<NewPack> {
  const pack = await writeFile(database, 'pack', indexed.pieces)
  try {
    return { name, pack, index: await writeFile(database, 'idx', [indexed.index]) }
  } catch (error) {
    await pack.discard()
    throw error
  }
}

async function writeFile(
  database: ObjectDatabase,
  kind: 'pack' | 'idx',
  pieces: readonly Uint8Array[],
): Promise<StagedFile> {
  const writer = await database.storage.createFile(kind)
  try {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length; at += WRITE_SIZE)
        await writer.write(piece.subarray(at, at + WRITE_SIZE))
    }
    return await writer.finish()
  } catch (error) {
    await writer.discard()
    throw isGitError(error)
      ? error
      : new GitError('STORAGE', `writing a ${kind} file failed`, { cause: error })
  }
}

async function discardAll(files: readonly StagedFile[]): Promise<void> {
  await Promise.all(files.map((file) => file.discard()))
}
