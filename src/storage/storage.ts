import type { ObjectFormatName } from '../object/object-format.ts'
import type { RepositoryStorage } from './repository-storage.ts'

/** How a new repository begins. */
export interface CreateRepositoryOptions {
  readonly objectFormat: ObjectFormatName
  /** The branch that HEAD names, e.g. `refs/heads/main`. */
  readonly head: string
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
   * Deletes a repository with all its data. False when there was none.
   *
   * @throws GitError `INVALID_ARGUMENT` for a malformed key.
   */
  delete(key: string): Promise<boolean>
  /** Lists keys in byte order. */
  list(options?: { readonly limit?: number; readonly cursor?: string }): Promise<RepositoryPage>
  close(): Promise<void>
}
