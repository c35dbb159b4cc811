import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Storage } from '../../storage/storage.ts'

export type PlainStorageKind = 'fs' | 'sqlite' | 'memory'

/**
 * Opens a storage. Only the code of that one is loaded.
 *
 * @param data the folder where repositories are, or the database `packstone.db` is; made when it is not there.
 */
export async function openPlainStorage(kind: PlainStorageKind, data: string): Promise<Storage> {
  switch (kind) {
    case 'memory': {
      const { createMemoryStorage } = await import('../../storage/memory/index.ts')
      return createMemoryStorage()
    }
    case 'fs': {
      const { createFsStorage } = await import('../../storage/fs/index.ts')
      await mkdir(data, { recursive: true })
      return createFsStorage({ directory: data })
    }
    case 'sqlite': {
      const { createSqliteStorage } = await import('../../storage/sqlite/index.ts')
      const { openNodeDatabase } = await import('../../storage/sqlite/drivers/node.ts')
      await mkdir(data, { recursive: true })
      return createSqliteStorage({ database: await openNodeDatabase({ path: join(data, 'packstone.db') }) })
    }
  }
}
