import { GitError, isGitError } from '../../errors.ts'
import type { BucketStagedFile } from './bucket-upload.ts'
import type { BucketStore } from './bucket-store.ts'
import { encodeManifest, type StoredManifest } from './manifest.ts'
import { randomId } from './object-names.ts'
import { openRefs, readShallow } from './repository-parts.ts'
import { KEPT_TRANSACTIONS, sealState, type RepositoryState } from './repository-state.ts'
import { waitAfterRace } from './retrying-bucket.ts'

/**
 * A change of a repository: computes the next state out of the one it is given, which it returns as it is where nothing changes. Called
 * again, with another state, when somebody else was first.
 */
export type Change<T> = (state: RepositoryState) => { readonly state: RepositoryState; readonly result: T }

/** The repository that is changed. */
export interface ChangedRepository {
  readonly key: string
  readonly id: string
  /** For messages. */
  readonly location: string
}

/** A change with who waits for it. */
interface Waiting {
  readonly change: Change<unknown>
  /** What the change may take. */
  readonly staged: readonly BucketStagedFile[]
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

/** Changes that are made in one replacement, at most. */
const MAX_BATCH = 64
/** How often others may be first. */
const ATTEMPTS = 64

/**
 * Changes manifests: each replacement is conditional on the manifest it was computed from, and repeated from there on when somebody
 * else was first. Changes of one repository that wait in this process are made in one replacement.
 */
export class ManifestChanges {
  readonly #store: BucketStore
  readonly #queues = new Map<string, Waiting[]>()

  constructor(store: BucketStore) {
    this.#store = store
  }

  /**
   * Makes a change.
   *
   * @param staged files that the change may take: from the moment at which it may have taken them they cannot be discarded.
   * @throws GitError `NOT_FOUND` when the repository was deleted; `LOCKED` when others were first all the time; `UNAVAILABLE` and
   *   `STORAGE` as the store, and then it may have happened.
   */
  async apply<T>(
    repository: ChangedRepository,
    change: Change<T>,
    staged: readonly BucketStagedFile[] = [],
  ): Promise<T> {
    await this.#store.assertWritable()
    return new Promise<T>((resolve, reject) => {
      const waiting: Waiting = { change, staged, resolve: resolve as (result: unknown) => void, reject }
      const queue = this.#queues.get(repository.id)
      if (queue !== undefined) {
        queue.push(waiting)
        return
      }
      const started = [waiting]
      this.#queues.set(repository.id, started)
      void this.#work(repository, started)
    })
  }

  async #work(repository: ChangedRepository, queue: Waiting[]): Promise<void> {
    // Those who call at the same time come along.
    await Promise.resolve()
    while (queue.length > 0) {
      const batch = queue.splice(0, MAX_BATCH)
      try {
        await this.#replace(repository, batch)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#queues.delete(repository.id)
  }

  async #replace(repository: ChangedRepository, batch: readonly Waiting[]): Promise<void> {
    const store = this.#store
    const { key, id, location } = repository
    const transaction = randomId()
    /** The replacement that was sent last and is not known to have failed: the revision that it was to replace, and what it answers. */
    let sent: { readonly revision: number; readonly answer: () => void } | undefined
    const known = store.tryManifest(key)
    let base = known?.manifest.id === id ? known : undefined
    for (let attempt = 0; ; attempt++) {
      const fresh = base === undefined
      base ??= await this.#read(repository)
      const { manifest, etag } = base
      if (sent !== undefined) {
        if (manifest.transactions.includes(transaction)) {
          sent.answer()
          return
        }
        if (manifest.revision - sent.revision >= KEPT_TRANSACTIONS) throw unknownOutcome(location)
        if (manifest.revision > sent.revision) {
          // What it was to replace is not there any more: it cannot succeed.
          release(batch)
          sent = undefined
        }
      }
      if (attempt >= ATTEMPTS) throw tooManyRaces(location, attempt)
      const state = await this.#open(base, fresh)
      if (state === undefined) {
        base = undefined
        continue
      }
      const done = makeChanges(state, batch)
      if (done.state === state) {
        if (!fresh) {
          // Answered by an old manifest, it would be a guess.
          base = undefined
          continue
        }
        done.answer()
        return
      }
      const sealed = await sealState(store, manifest, done.state, transaction)
      const bytes = encodeManifest(sealed)
      for (const { staged } of batch) for (const file of staged) file.hold()
      sent = { revision: manifest.revision, answer: done.answer }
      const replaced = await this.#put(key, bytes, etag)
      if (replaced !== undefined) {
        store.remember(key, { manifest: sealed, etag: replaced, size: bytes.length })
        done.answer()
        return
      }
      base = undefined
      await waitAfterRace(store.retries, attempt)
    }
  }

  async #read({ key, id, location }: ChangedRepository): Promise<StoredManifest> {
    const stored = await this.#store.readManifest(key)
    if (stored?.manifest.id === id) return stored
    throw new GitError('NOT_FOUND', `${location} was deleted`)
  }

  /** `undefined` when the manifest is so old that its files are gone. */
  async #open({ manifest }: StoredManifest, fresh: boolean): Promise<RepositoryState | undefined> {
    try {
      const [refs, shallow] = await Promise.all([
        openRefs(this.#store, manifest),
        readShallow(this.#store, manifest),
      ])
      return { manifest, refs, shallow }
    } catch (error) {
      if (fresh || !isGitError(error, 'NOT_FOUND')) throw error
      return undefined
    }
  }

  /** The new etag; `undefined` when it did not, or may not have, happened. */
  async #put(key: string, bytes: Uint8Array, etag: string): Promise<string | undefined> {
    const { bucket, names } = this.#store
    try {
      return await bucket.put(names.manifest(key), bytes, { kind: 'match', etag })
    } catch (error) {
      if (!isGitError(error, 'UNAVAILABLE')) throw error
      return undefined
    }
  }
}

/** Makes one change after the other. What one throws concerns nobody else. */
function makeChanges(
  before: RepositoryState,
  batch: readonly Waiting[],
): { readonly state: RepositoryState; readonly answer: () => void } {
  const answers: (() => void)[] = []
  let current = before
  for (const { change, resolve, reject } of batch) {
    try {
      const { state, result } = change(current)
      current = state
      answers.push(() => {
        resolve(result)
      })
    } catch (error) {
      answers.push(() => {
        reject(error)
      })
    }
  }
  return {
    state: current,
    answer: () => {
      release(batch)
      for (const answer of answers) answer()
    },
  }
}

/** Lets staged files be discarded again. Those that were taken are given away by who waits, before he can go on. */
function release(batch: readonly Waiting[]): void {
  for (const { staged } of batch) for (const file of staged) file.release()
}

function tooManyRaces(location: string, attempts: number): GitError {
  return new GitError('LOCKED', `${location} was changed by others ${attempts} times in a row; try again`, {
    details: { attempts },
  })
}

function unknownOutcome(location: string): GitError {
  return new GitError(
    'STORAGE',
    `the store did not answer a change of ${location}, and so many came after it that it cannot be found out whether it was made; ` +
      'look at the refs before trying again',
  )
}
