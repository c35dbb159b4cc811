import type { ObjectFormatName } from '../object/object-format.ts'
import type { Ref } from '../refs/ref.ts'
import type { RefEdit, RefOutcome } from '../refs/ref-edit.ts'
import type { StorageMaintenance } from './storage-maintenance.ts'
import type { FileWriter, StagedFile, StoredFile } from './stored-file.ts'

/** The files that make up one stored pack. */
export type PackFileKind = 'pack' | 'idx'

/**
 * Files that are derived from one pack and can be built again from it at any time, or be done without. `reachability`: what its objects
 * point at (pack/reachability). `maintenance`: what maintenance remembers of it. `rev`, `bitmap` and `mtimes` are what git has beside a
 * pack, for layouts that git reads.
 */
export type DerivedFileKind = 'reachability' | 'maintenance' | 'rev' | 'bitmap' | 'mtimes'

/** What a store says about one of its packs. */
export interface PackDescription {
  /** Unique within the repository, and never reused for other bytes: `pack-<checksum>`. */
  readonly name: string
  /** Size of the pack in bytes. */
  readonly packSize: number
  /** Size of its index in bytes. */
  readonly indexSize: number
  /** When the pack was last written or freshened, in milliseconds since the epoch. Newer packs are searched first. */
  readonly modified: number
  /** Present when some of its objects do not belong to this repository: see {@link RepositoryStorage.readPackMask}. */
  readonly partial?: true
  /** Present when maintenance is to leave the pack as it is: somebody asked to keep it, or it belongs to another repository. */
  readonly pinned?: 'kept' | 'borrowed'
  /** Present when git has marked its objects as unreachable. */
  readonly cruft?: true
  /** Present when objects that its objects name may be absent: see {@link NewPack.promisor}. */
  readonly promisor?: true
}

/** A pack that a commit adds. The staged files belong to the store once the commit has taken them. */
export interface NewPack {
  /** `pack-<checksum in hexadecimal>`. */
  readonly name: string
  readonly pack: StagedFile
  readonly index: StagedFile
  /**
   * It comes from a remote that has promised to hand out later what it left out: the repository is a partial clone. The mark stays with
   * the pack, in forks too; adding a pack that is there already adds the mark to it.
   */
  readonly promisor?: true
}

/** A change of the list of shallow commits: first `remove` is taken away from it, as far as it is there, then `add` is added. */
export interface ShallowChange {
  /** Ids of commits whose parents this repository does not have from now on. */
  readonly add: readonly string[]
  /** Ids of commits whose parents it has now. */
  readonly remove: readonly string[]
}

/** The one atomic step: packs and refs together. */
export interface StorageCommit {
  /**
   * Packs to make visible, before any ref moves. Adding a pack of a name that is there already keeps the old files, and takes away its
   * mask: all of its objects are visible from then on.
   */
  readonly addPacks?: readonly NewPack[]
  /**
   * Names of packs to forget. Their files may live on for readers that have them open. Unknown names are ignored, and a
   * name that the same step adds is kept.
   */
  readonly dropPacks?: readonly string[]
  /**
   * Packs of `dropPacks` that were written or freshened at this moment (milliseconds since the epoch) or later stay. Whoever freshens a
   * pack, and finds it listed after that, has it for as long as this moment stays behind.
   */
  readonly dropOnlyBefore?: number
  /** Ref edits, at most one per ref name. Malformed ones reject the whole commit: see `assertRefEdits`. */
  readonly refs?: readonly RefEdit[]
  /** All edits or none. Without it each edit stands alone. */
  readonly atomic?: boolean
  /**
   * How the list of commits whose parents this repository does not have changes, as it is when the step is made: what other steps have
   * changed meanwhile stays. It takes effect after the packs and before the refs, and not at all when there were edits and every
   * one was rejected.
   */
  readonly shallow?: ShallowChange
  /**
   * What others are to learn of this step: texts that are appended to the repository's outbox, in the same step as the refs. Called
   * inside it, with the outcomes that it is going to answer; not at all when there were edits and every one was rejected.
   *
   * It is called again where the step had to be repeated, and only what it answered last counts; a store that carries out edits that
   * stand alone in several steps calls it for each, with the outcomes of that one. It must not wait, throw or change anything. A
   * text has at most `MAX_EVENT_BYTES` (1 MiB) in UTF-8.
   */
  readonly events?: (outcomes: readonly RefOutcome[]) => readonly string[]
}

/** A text of the outbox. Nothing in the engine interprets it. */
export interface StoredEvent {
  /** Ascends in the order of the commits; has gaps, and is never used again. */
  readonly sequence: number
  readonly text: string
}

/** The answer to a {@link StorageCommit}. */
export interface StorageCommitResult {
  /** One outcome per edit, in order. */
  readonly refs: readonly RefOutcome[]
  /**
   * Whether the packs were added and dropped. False only when there were edits and every one was rejected: then
   * nothing has changed, and the staged files still belong to the caller.
   */
  readonly packsCommitted: boolean
}

/** Loose objects: files of one zlib-compressed object each. Only the bare-repository layout has any. */
export interface LooseObjects {
  /** Whether a loose object of this id is there, in this repository or one of its alternates. */
  has(id: Uint8Array): Promise<boolean>
  /**
   * Of many raw ids, side by side, tells which are there as `has` does: one byte each, 1 or 0. It costs a listing of the directories at
   * most, however many ids there are.
   */
  hasMany(ids: Uint8Array): Promise<Uint8Array>
  /** The compressed file, from this repository or one of its alternates; `undefined` where there is none. */
  read(id: Uint8Array): Promise<Uint8Array | undefined>
  /** Ids of all loose objects, raw and side by side, in byte order. Alternates are not included. */
  list(): Promise<Uint8Array>
  /** Writes a loose object: visible whole or not at all, durable on return; an existing one is freshened instead. */
  write(id: Uint8Array, compressed: Uint8Array): Promise<void>
}

/**
 * The storage boundary: what an adapter writes for one repository.
 *
 * A repository is a set of immutable pack files plus a small mutable state (pack list, refs) that changes by one atomic
 * step. Adapters are dumb: they name, write, open, list and commit. Lookup, caching, conflict rules and
 * maintenance are written once above this interface.
 *
 * What must hold (the conformance suite in `packstone/storage/conformance` proves it):
 * - a file is visible whole or not at all, and only through a commit;
 * - a commit is all or nothing to every reader, on every process, and durable when its promise resolves;
 * - what a resolved commit wrote is seen by every read that starts afterwards;
 * - staged files that no commit names are garbage and disappear, at the latest when the store is maintained.
 */
export interface RepositoryStorage {
  /** For messages and logs, e.g. `fs:/srv/git/a.git`. */
  readonly location: string
  readonly objectFormat: ObjectFormatName

  /** The pack list: every pack whose objects belong to this repository, shared packs of alternates included. */
  listPacks(): Promise<readonly PackDescription[]>
  /**
   * Opens a file of a listed pack.
   *
   * @throws GitError `NOT_FOUND` when the pack is gone: list again.
   */
  openPackFile(name: string, kind: PackFileKind): Promise<StoredFile>
  /** Begins a file that a later commit may name. */
  createFile(kind: PackFileKind): Promise<FileWriter>
  /**
   * Which objects of a pack belong to this repository: one bit for each object in the order of the index, bit `i` being
   * `mask[i >> 3] & (1 << (i & 7))`. `undefined` when all do. An object outside the mask does not exist for this repository, though
   * its bytes may serve as a delta base inside the pack. The bytes belong to the caller.
   *
   * @throws GitError `NOT_FOUND` when the pack is gone: list again. `CORRUPT_INDEX` when the mask of a partial pack is lost.
   */
  readPackMask(name: string): Promise<Uint8Array | undefined>
  /** Marks packs as still needed, so that garbage collection grants them a new grace period. Unknown names are ignored. */
  freshenPacks(names: readonly string[]): Promise<void>

  /** A file derived from a listed pack, whole; `undefined` where there is none. The bytes belong to the caller. */
  readDerived(pack: string, kind: DerivedFileKind): Promise<Uint8Array | undefined>
  /**
   * Keeps a derived file beside a pack: visible whole or not at all, replaced when it is there, gone with its pack. Nothing depends on
   * it, so it need not be durable when this resolves.
   */
  writeDerived(pack: string, kind: DerivedFileKind, bytes: Uint8Array): Promise<void>

  /** The stored value of each named ref, in order; `undefined` where there is none. Symbolic refs are not followed. */
  readRefs(names: readonly string[]): Promise<(Ref | undefined)[]>
  /** All refs whose names begin with `prefix` (`HEAD` is not listed), sorted by name in byte order. */
  listRefs(prefix: string): Promise<readonly Ref[]>

  /**
   * The one atomic step. What is malformed rejects it as a whole and changes nothing.
   *
   * @throws GitError `INVALID_ARGUMENT`, `INVALID_REF_NAME`, `INVALID_ID`; `NOT_FOUND` when the repository was deleted.
   */
  commit(step: StorageCommit): Promise<StorageCommitResult>

  /**
   * Reads the oldest texts of the outbox, at most `limit`, ascending. What a resolved commit appended is seen by every call that
   * starts afterwards, and no text appears later in front of one that was read.
   */
  readEvents(limit: number): Promise<readonly StoredEvent[]>
  /** Forgets the texts up to and including this sequence, which were read. Idempotent. */
  dropEvents(through: number): Promise<void>

  /** The text of the repository's git config file. */
  readConfig(): Promise<string>
  /** Replaces the config. */
  writeConfig(text: string): Promise<void>
  /** Ids (hexadecimal) of commits whose parents this repository does not have: the `shallow` file. */
  readShallow(): Promise<readonly string[]>

  /** Loose objects, where the layout has them. */
  readonly loose: LooseObjects | undefined

  /** What maintenance needs besides, where the layout needs it. */
  readonly maintenance?: StorageMaintenance

  /** Releases open files and caches. The storage can be opened again. */
  close(): Promise<void>
}
