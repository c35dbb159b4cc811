import { hostname } from 'node:os'
import { join } from 'node:path'
import { decodeUtf8, encodeUtf8 } from '../../../bytes/text.ts'
import { hasErrno } from '../errno.ts'
import { readFileIfThere, removeFile, type GitDirectory } from '../git-directory.ts'
import { acquireLock } from '../lock-file.ts'
import { isOlderThan } from '../path-facts.ts'

/** After so long the file of a process that is on another machine counts as left behind; git's number. */
const STALE_AFTER = 12 * 3_600_000

/**
 * Takes the lock that `git gc` takes: the file `gc.pid` with the process and the machine of whoever maintains the repository.
 *
 * @returns what gives it back; `busy` when another living process has it.
 */
export async function acquireGcLock(directory: GitDirectory): Promise<(() => Promise<void>) | 'busy'> {
  const { fs } = directory
  const path = join(directory.path, 'gc.pid')
  // The lock on the file itself is held for a moment only.
  if (await isOlderThan(fs, `${path}.lock`, 3_600_000)) await removeFile(fs, `${path}.lock`)
  const lock = await acquireLock(directory, path, { timeout: 0 })
  if (lock === undefined) return 'busy'
  try {
    if (await isHeld(directory, path)) return 'busy'
    await lock.write(encodeUtf8(`${process.pid} ${hostname()}`))
    await lock.commit()
  } finally {
    await lock.release()
  }
  return async () => {
    await removeFile(fs, path)
  }
}

async function isHeld({ fs }: GitDirectory, path: string): Promise<boolean> {
  if (await isOlderThan(fs, path, STALE_AFTER)) return false
  const content = await readFileIfThere(fs, path)
  const [, pid, host] = /^(\d+) (\S+)/.exec(decodeUtf8(content ?? new Uint8Array(0))) ?? []
  if (pid === undefined) return false
  return host !== hostname() || isAlive(Number(pid))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return hasErrno(error, 'EPERM')
  }
}
