import type { ObjectFormatName } from '../object/object-format.ts'
import type { Ref } from '../refs/ref.ts'
import type { RepositoryStorage } from './repository-storage.ts'

/** How a new repository begins. */
export interface CreateRepositoryOptions {
  readonly objectFormat: ObjectFormatName
  /** The branch that HEAD names, e.g. `refs/heads/main`. */
  readonly head: string
}

/** A pack that a fork takes over from its source. */
export interface SharedPack {
  /** The name of a pack that the source lists. */
  readonly name: string
  /**
   * Which of its objects the fork sees: one bit for each in the order of the index, as in {@link RepositoryStorage.readPackMask}. Absent:
   * those that the source sees.
   */
  readonly visible?: Uint8Array
}

/** How a fork begins. */
export interface ForkRepositoryOptions {
  /** The branch that HEAD names. */
  readonly head: string
  /** All refs but `HEAD`, in any order. */
  readonly refs: readonly Ref[]
  /** Commits whose parents the fork does not have. */
  readonly shallow: readonly string[]
  /** The packs to share, each once. They must hold everything that the refs reach and `loose` does not name. */
  readonly packs: readonly SharedPack[]
  /** Raw ids, side by side, of loose objects to share; only where the source has any. */
  readonly loose?: Uint8Array
}

/** A page of repository keys. */
export interface RepositoryPage {
  readonly keys: readonly string[]
  /** Pass it to the next `list` call; absent on the last page. */
  readonly cursor?: string
}

/**
 * A place that holds many repositories, each under a key such as `team/project`.
 *
 * Keys are `/`-separated segments of `[A-Za-z0-9._-]`, none of which begins with a dot or ends in `.lock`
 * (`repository-key.ts` has the rule and the limits of length).
 */
export interface Storage {
  /** For messages and logs, e.g. `memory` or `fs:/srv/git`. */
  readonly location: string
  /**
   * Opens a repository; `undefined` when there is none of this key.
   *
   * @throws GitError `INVALID_ARGUMENT` for a malformed key: ask `isRepositoryKey` first about what strangers send.
   */
  open(key: string): Promise<RepositoryStorage | undefined>
  /**
   * Creates an empty repository. Of two concurrent calls with one key exactly one succeeds.
   *
   * @throws GitError `ALREADY_EXISTS`, `INVALID_ARGUMENT` for a malformed key, `INVALID_REF_NAME` for a malformed head
   */
  create(key: string, options: CreateRepositoryOptions): Promise<RepositoryStorage>
  /**
   * Creates a repository out of another one's packs, whole or not at all. No object is copied: packs are shared, and so is what is
   * derived from them. Deleting, repacking or collecting garbage in either never hurts the other, and neither sees what the other
   * receives from then on. The config is copied; reflogs and the outbox are not.
   *
   * `forkRepository` of the engine finds out what to pass.
   *
   * @throws GitError `NOT_FOUND` when there is no source; `ALREADY_EXISTS` for a key that is taken; `CONFLICT` when the source does not
   * have one of the packs or loose objects any more: list them again and repeat the call; `INVALID_ARGUMENT`, `INVALID_REF_NAME`,
   * `INVALID_ID` for what is malformed. Nothing has happened then.
   */
  fork(source: string, key: string, options: ForkRepositoryOptions): Promise<RepositoryStorage>
  /**
   * Deletes a repository with all its data. False when there was none.
   *
   * @throws GitError `INVALID_ARGUMENT` for a malformed key.
   */
  delete(key: string): Promise<boolean>
  /** Lists keys in byte order. */
  list(options?: { readonly limit?: number; readonly cursor?: string }): Promise<RepositoryPage>
  close(): Promise<void>
}
