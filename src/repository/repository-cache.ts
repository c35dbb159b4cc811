import type { Repository } from './repository.ts'

/** Where a repository is. */
export interface RepositoryPlace {
  readonly path: string
  /** Changes when another repository takes the place of this one. */
  readonly identity: string
}

/** A repository in use. */
export interface BorrowedRepository {
  readonly repository: Repository
  /** Gives it back. Call once. */
  readonly release: () => void
}

interface Entry {
  readonly identity: string
  readonly opening: Promise<Repository>
  users: number
  /** Whether it has left the cache, and is closed when its last user is done. */
  dropped: boolean
}

export interface RepositoryCacheOptions {
  /** Opens the repository of a path. */
  readonly open: (path: string) => Promise<Repository>
  /** How many repositories stay open. More are open only while more are in use. */
  readonly capacity: number
  /** Told when a repository cannot be closed. */
  readonly onError: (error: unknown) => void
}

/** Opened repositories by path, the least recently used closed first, and none while it is in use. */
export class RepositoryCache {
  readonly #options: RepositoryCacheOptions
  /** In order of use, the last one last. */
  readonly #entries = new Map<string, Entry>()
  readonly #closing = new Set<Promise<void>>()

  constructor(options: RepositoryCacheOptions) {
    this.#options = options
  }

  /** Whether this very repository is open. */
  has(place: RepositoryPlace): boolean {
    return this.#entries.get(place.path)?.identity === place.identity
  }

  /** Borrows the repository of a place, opening it at most once however many ask at a time. */
  async borrow(place: RepositoryPlace): Promise<BorrowedRepository> {
    const { path, identity } = place
    let entry = this.#entries.get(path)
    if (entry !== undefined && entry.identity !== identity) {
      this.#drop(path, entry)
      entry = undefined
    }
    entry ??= { identity, opening: this.#options.open(path), users: 0, dropped: false }
    const borrowed = entry
    borrowed.users++
    this.#entries.delete(path)
    this.#entries.set(path, borrowed)
    this.#evict()
    try {
      const repository = await borrowed.opening
      return {
        repository,
        release: () => {
          borrowed.users--
          this.#closeIfOver(borrowed)
        },
      }
    } catch (error) {
      // There is nothing to close.
      if (this.#entries.get(path) === borrowed) this.#entries.delete(path)
      throw error
    }
  }

  /** Lets go of a repository, which is closed when nobody uses it any more. */
  drop(path: string): void {
    const entry = this.#entries.get(path)
    if (entry !== undefined) this.#drop(path, entry)
  }

  /** Closes every repository that is not in use, and lets go of the others when they are given back. */
  async close(): Promise<void> {
    for (const [path, entry] of this.#entries) this.#drop(path, entry)
    while (this.#closing.size > 0) await Promise.all(this.#closing)
  }

  #evict(): void {
    for (const [path, entry] of this.#entries) {
      if (this.#entries.size <= this.#options.capacity) return
      this.#drop(path, entry)
    }
  }

  #drop(path: string, entry: Entry): void {
    this.#entries.delete(path)
    entry.dropped = true
    this.#closeIfOver(entry)
  }

  #closeIfOver(entry: Entry): void {
    if (!entry.dropped || entry.users > 0) return
    const closing = entry.opening
      .then((repository) => repository.close())
      .catch(this.#options.onError)
      .finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }
}
