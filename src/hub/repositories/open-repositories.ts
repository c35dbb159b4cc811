import { GitError } from '../../errors.ts'
import { openRepository, type OpenRepositoryOptions, type Repository } from '../../repository/repository.ts'
import { RepositoryCache, type BorrowedRepository } from '../../repository/repository-cache.ts'
import type { Storage } from '../../storage/storage.ts'
import { repositoryKey } from './repository-id.ts'

export interface OpenRepositoriesOptions extends OpenRepositoryOptions {
  readonly storage: Storage
  /** How many repositories stay open between requests. */
  readonly capacity: number
  readonly onError: (error: unknown) => void
}

/**
 * The engine's side of a hub's repositories, by id. Some stay open between requests; who may use one, and whether it still exists, is
 * for the caller to ask the registry, for every request anew.
 */
export interface OpenRepositories {
  /** Opens a repository until it is given back. @throws GitError `NOT_FOUND` */
  borrow(id: string): Promise<BorrowedRepository>
  /** Opens a repository for the time of a piece of work. @throws GitError `NOT_FOUND` */
  use<T>(id: string, work: (repository: Repository) => Promise<T>): Promise<T>
  /** Lets go of a repository that was deleted. */
  forget(id: string): void
  close(): Promise<void>
}

export function createOpenRepositories(options: OpenRepositoriesOptions): OpenRepositories {
  const { storage } = options
  const cache = new RepositoryCache({
    capacity: options.capacity,
    onError: options.onError,
    open: async (id) => {
      const stored = await storage.open(repositoryKey(id))
      if (stored !== undefined) return openRepository(stored, options)
      throw new GitError('NOT_FOUND', `${storage.location} has no repository of id ${id}`, {
        details: { id },
      })
    },
  })
  // Ids are never used again, so that an id is all there is to tell repositories apart.
  const borrow = (id: string): Promise<BorrowedRepository> => cache.borrow({ path: id, identity: id })
  return {
    borrow,
    async use(id, work) {
      const { repository, release } = await borrow(id)
      try {
        return await work(repository)
      } finally {
        release()
      }
    },
    forget: (id) => {
      cache.drop(id)
    },
    close: () => cache.close(),
  }
}
