import { join } from 'node:path'
import { decodeUtf8, encodeUtf8 } from '../../bytes/text.ts'
import { GitError } from '../../errors.ts'
import type { ShallowChange } from '../repository-storage.ts'
import { changeShallowList } from '../shallow-list.ts'
import type { FileSystem } from './file-system.ts'
import { readFileIfThere, removeFile, syncDirectory, type GitDirectory } from './git-directory.ts'
import { acquireLock, lockedError } from './lock-file.ts'
import type { Turns } from './turns.ts'

/** How long to wait for whoever holds the lock, in milliseconds. */
const LOCK_TIMEOUT = 1000

/** Reads the file `shallow` of a repository: one id a line. No file is an empty list. */
export async function readShallowFile(
  fs: FileSystem,
  path: string,
  hexLength: number,
): Promise<readonly string[]> {
  const bytes = (await readFileIfThere(fs, join(path, 'shallow'))) ?? new Uint8Array(0)
  const isId = new RegExp(`^[0-9a-f]{${hexLength}}$`)
  return decodeUtf8(bytes)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      if (isId.test(line)) return line
      throw new GitError('STORAGE', `fs:${path}: bad line in the file shallow: '${line.slice(0, 80)}'`)
    })
}

/** The file `shallow` with its next content in its lock, not in place yet. */
export interface PreparedShallowFile {
  /** Puts the content in place, durable. Once is enough: later calls do nothing. */
  apply(): Promise<void>
  /** Gives up the lock. Must be called in any case. */
  release(): Promise<void>
}

/**
 * Locks the file `shallow` and writes what it is to become; an empty list removes the file.
 *
 * @throws GitError `LOCKED`
 */
export async function prepareShallowFile(
  directory: GitDirectory,
  change: ShallowChange,
  { hexLength, turns }: { readonly hexLength: number; readonly turns: Turns },
): Promise<PreparedShallowFile> {
  const path = join(directory.path, 'shallow')
  const endTurn = await turns.take(path)
  try {
    const prepared = await lockAndWrite(directory, path, change, hexLength)
    return {
      apply: () => prepared.apply(),
      release: async () => {
        await prepared.release()
        endTurn()
      },
    }
  } catch (error) {
    endTurn()
    throw error
  }
}

async function lockAndWrite(
  directory: GitDirectory,
  path: string,
  change: ShallowChange,
  hexLength: number,
): Promise<PreparedShallowFile> {
  const lock = await acquireLock(directory, path, { timeout: LOCK_TIMEOUT })
  if (lock === undefined) throw lockedError(path)
  let ids: readonly string[]
  try {
    ids = changeShallowList(await readShallowFile(directory.fs, directory.path, hexLength), change)
    if (ids.length > 0) await lock.write(encodeUtf8(ids.map((id) => `${id}\n`).join('')))
  } catch (error) {
    await lock.release()
    throw error
  }
  return {
    async apply() {
      if (!lock.held) return
      if (ids.length > 0) {
        await lock.commit()
        return
      }
      await removeFile(directory.fs, path)
      await lock.release()
      await syncDirectory(directory, directory.path)
    },
    release: () => lock.release(),
  }
}
