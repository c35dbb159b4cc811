import type { RepositoryStorage } from '../../storage/repository-storage.ts'
import type { Storage } from '../../storage/storage.ts'
import { openRepository, type OpenRepositoryOptions } from '../repository.ts'
import {
  DEFAULT_MAINTENANCE,
  MaintenanceScheduler,
  type MaintenanceSchedulerOptions,
} from './maintenance-scheduler.ts'

export interface MaintainedStorageOptions
  extends OpenRepositoryOptions, Omit<MaintenanceSchedulerOptions, 'open'> {
  /**
   * Where another process maintains the same storage: told the keys of repositories that changed, which are passed on to the `notify`
   * there. Nothing is maintained here then.
   */
  readonly elsewhere?: (key: string) => void
}

/** A storage whose repositories are maintained. */
export interface MaintainedStorage {
  /** The same storage; closing it leaves the maintenance running. */
  readonly storage: Storage
  /** Tells that a repository was changed by another process. Never throws. */
  readonly notify: (key: string) => void
  /** Stops what is running, and begins nothing any more. The storage stays open. */
  close(): Promise<void>
}

/**
 * Has the repositories of a storage maintained in the background, after steps that added packs to them: pushes, commits, imports, whatever
 * makes them. For hosts that serve a storage and do not want to tell of every change.
 */
export function maintainStorage(storage: Storage, options: MaintainedStorageOptions): MaintainedStorage {
  const { memoryBudget, elsewhere } = options
  const scheduler = new MaintenanceScheduler({
    maintenance: {
      ...DEFAULT_MAINTENANCE,
      ...(memoryBudget === undefined ? {} : { memoryBytes: memoryBudget.bytes / 4 }),
    },
    ...options,
    open: async (key) => {
      const stored = await storage.open(key)
      if (stored === undefined) return undefined
      const repository = openRepository(stored, options)
      return { repository, release: () => void repository.close().catch(options.onError) }
    },
  })
  const notify =
    elsewhere ??
    ((key: string): void => {
      scheduler.notify(key)
    })
  const noticing = (key: string, stored: RepositoryStorage): RepositoryStorage => ({
    ...stored,
    commit: async (step) => {
      const result = await stored.commit(step)
      if (result.packsCommitted && (step.addPacks?.length ?? 0) > 0) notify(key)
      return result
    },
  })
  return {
    storage: {
      ...storage,
      open: async (key) => {
        const stored = await storage.open(key)
        return stored && noticing(key, stored)
      },
      create: async (key, creating) => noticing(key, await storage.create(key, creating)),
      fork: async (source, key, forking) => noticing(key, await storage.fork(source, key, forking)),
    },
    notify,
    close: () => scheduler.close(),
  }
}
