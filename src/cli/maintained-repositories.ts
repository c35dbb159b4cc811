import { createNodeCodecs } from '../codec/node/index.ts'
import { GitError } from '../errors.ts'
import type { MemoryBudget } from '../odb/memory-budget.ts'
import { openRepository, type Repository } from '../repository/repository.ts'
import type { Storage } from '../storage/storage.ts'
import { misuse } from './failure.ts'
import { openRepositoryAt } from './open-repository.ts'
import { openPlainStorage, type PlainStorageKind } from './serve/plain-storage.ts'

/** Where repositories to be maintained are, as the command line says it. */
export interface MaintainedPlace {
  /** Absent: they are bare repositories on disk, named by their paths. */
  readonly storage?: PlainStorageKind
  readonly data: string
  readonly endpoint?: string
  readonly bucket?: string
  readonly prefix?: string
}

/** Repositories to be maintained. */
export interface MaintainedRepositories {
  /** Paths, or keys of a storage. */
  readonly names: readonly string[]
  /** @throws GitError `NOT_FOUND` */
  open(name: string): Promise<Repository>
  /** Removes what nobody needs any more from the storage, and closes it. */
  close(): Promise<void>
}

/** Finds the repositories to be maintained: those that are named; of a storage all, where none is. */
export async function findMaintained(
  named: readonly string[],
  place: MaintainedPlace,
  memoryBudget: MemoryBudget,
): Promise<MaintainedRepositories> {
  const { storage: kind, data } = place
  if (kind === undefined) {
    if (named.length === 0) throw misuse('maintain needs the path of a repository, or --storage')
    if ((place.endpoint ?? place.bucket ?? place.prefix) !== undefined)
      throw misuse('--endpoint, --bucket and --prefix need --storage s3')
    return {
      names: named,
      open: (path) => openRepositoryAt(path, { memoryBudget }),
      close: () => Promise.resolve(),
    }
  }
  const storage = await openPlainStorage({ ...place, storage: kind }, data)
  const codecs = createNodeCodecs()
  return {
    names: named.length > 0 ? named : await listAll(storage),
    open: async (key) => {
      const stored = await storage.open(key)
      if (stored !== undefined) return openRepository(stored, { codecs, memoryBudget })
      throw new GitError('NOT_FOUND', `${storage.location} has no repository ${key}`, { details: { key } })
    },
    close: async () => {
      try {
        if (hasGarbage(storage)) await storage.collectGarbage()
      } finally {
        await storage.close()
      }
    },
  }
}

async function listAll(storage: Storage): Promise<string[]> {
  const keys: string[] = []
  let cursor: string | undefined
  do {
    const page = await storage.list(cursor === undefined ? {} : { cursor })
    keys.push(...page.keys)
    cursor = page.cursor
  } while (cursor !== undefined)
  return keys
}

/** Some storages keep files of dropped packs for a while, for those who read them. */
function hasGarbage(storage: Storage): storage is Storage & { collectGarbage(): Promise<void> } {
  return 'collectGarbage' in storage && typeof storage.collectGarbage === 'function'
}
