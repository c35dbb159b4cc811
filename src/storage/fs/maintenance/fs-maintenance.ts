import { join } from 'node:path'
import { encodeHex } from '../../../bytes/hex.ts'
import type { StorageMaintenance } from '../../storage-maintenance.ts'
import { removeFile, type GitDirectory } from '../git-directory.ts'
import { mapInParallel } from '../in-parallel.ts'
import type { RefReader } from '../ref-reader.ts'
import type { Turns } from '../turns.ts'
import { compactLooseRefs } from './compact-refs.ts'
import { acquireGcLock } from './gc-lock.ts'
import { GIT_FILE_FORMATS } from './git-file-formats.ts'
import { listLayoutRoots } from './layout-roots.ts'
import { removeLeftovers } from './leftovers.ts'
import { readRepositoryFile, removeRepositoryFile, writeRepositoryFile } from './repository-files.ts'

/** What maintenance works on. */
export interface FsMaintenancePlace {
  readonly reader: RefReader
  readonly turns: Turns
  readonly directory: () => Promise<GitDirectory>
  /** Runs an operation on the storage, with its errors. */
  readonly run: <T>(work: () => Promise<T>) => Promise<T>
}

/** What maintenance needs of a bare repository besides packs and refs, by git's rules. */
export function createFsMaintenance({
  reader,
  turns,
  directory,
  run,
}: FsMaintenancePlace): Required<StorageMaintenance> {
  const { fs, path } = reader.place
  return {
    acquireLock: () => run(async () => acquireGcLock(await directory())),
    listRoots: () => run(() => listLayoutRoots(reader.place)),
    removeLoose: (ids) =>
      run(async () => {
        await mapInParallel(ids, async (id) => {
          const hex = encodeHex(id)
          await removeFile(fs, join(path, 'objects', hex.slice(0, 2), hex.slice(2)))
        })
      }),
    compactRefs: () => run(async () => compactLooseRefs({ directory: await directory(), reader, turns })),
    collectGarbage: () => run(async () => removeLeftovers(await directory())),
    gitFiles: {
      read: (kind) => run(() => readRepositoryFile(fs, path, kind)),
      write: (kind, bytes) => run(async () => writeRepositoryFile(await directory(), kind, bytes)),
      remove: (kind) => run(async () => removeRepositoryFile(await directory(), kind)),
      formats: GIT_FILE_FORMATS,
    },
  }
}
