import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { GitError } from '../../errors.ts'
import { hasErrno } from './errno.ts'
import { finishFile, removeFile, shareFile, syncDirectory, type GitDirectory } from './git-directory.ts'

/**
 * Git's lock on a file: `<path>.lock` beside it, created by whoever holds it and by nobody else. New content is written
 * into the lock, which is then renamed over the file.
 */
export class LockFile {
  /** The file that is locked. */
  readonly path: string
  readonly #directory: GitDirectory
  #held = true

  constructor(directory: GitDirectory, path: string) {
    this.#directory = directory
    this.path = path
  }

  get held(): boolean {
    return this.#held
  }

  /** Writes the file's new content into the lock, durable, replacing what was written before. */
  async write(content: Uint8Array): Promise<void> {
    const file = await this.#directory.fs.open(this.#lockPath, 'w')
    try {
      await file.writeFile(content)
      await finishFile(this.#directory, file)
    } finally {
      await file.close()
    }
  }

  /** Puts the lock in the file's place, which ends the lock. Durable after `syncDirectory` of the parent. */
  async rename(): Promise<void> {
    await this.#directory.fs.rename(this.#lockPath, this.path)
    this.#held = false
  }

  /** {@link rename}, made durable. */
  async commit(): Promise<void> {
    await this.rename()
    await syncDirectory(this.#directory, dirname(this.path))
  }

  /** Gives up the lock and what was written into it. Harmless when it is no longer held. */
  async release(): Promise<void> {
    if (!this.#held) return
    this.#held = false
    await removeFile(this.#directory.fs, this.#lockPath)
  }

  get #lockPath(): string {
    return `${this.path}.lock`
  }
}

/**
 * Takes the lock on a file, trying again while somebody else holds it, with pauses of `timeout` milliseconds in all; a negative timeout
 * tries for ever. As in git the pauses count, not the clock: where the machine is busy, it is tried as often as elsewhere. The parent
 * directory must exist.
 *
 * @returns undefined when somebody else held it all the time.
 */
export async function acquireLock(
  directory: GitDirectory,
  path: string,
  options: { readonly timeout: number },
): Promise<LockFile | undefined> {
  let left = options.timeout < 0 ? Infinity : options.timeout
  for (let round = 1; ; round++) {
    try {
      const file = await directory.fs.open(`${path}.lock`, 'wx', 0o666)
      try {
        await shareFile(directory, file)
      } finally {
        await file.close()
      }
      return new LockFile(directory, path)
    } catch (error) {
      if (!hasErrno(error, 'EEXIST')) throw error
    }
    if (left <= 0) return undefined
    // Grows with the square of the rounds, up to a second, a quarter of it at random: contenders drift apart.
    const pause = Math.min(left, Math.min(1000, round * round) * (0.75 + 0.5 * Math.random()))
    await sleep(pause)
    left -= pause
  }
}

/** The error for a lock that somebody else holds and that is not about a ref. */
export function lockedError(path: string): GitError {
  return new GitError(
    'LOCKED',
    `${path} is locked by another process; if none is running, remove ${path}.lock and try again`,
    { details: { path } },
  )
}
