import { GitError, isGitError } from '../../errors.ts'

/** SQLite's result codes for a lock that somebody else holds: SQLITE_BUSY and SQLITE_LOCKED. */
const BUSY_CODES: readonly unknown[] = [5, 6]

/**
 * Tells whether an engine's error says that somebody else holds a lock. The engines have the result code in different places:
 * `node:sqlite` in `errcode`, Bun in `errno`, better-sqlite3 its name in `code`.
 */
export function isBusyError(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code, errcode, errno } = error as { code?: unknown; errcode?: unknown; errno?: unknown }
  if (typeof code === 'string' && /^SQLITE_(?:BUSY|LOCKED)/.test(code)) return true
  return [errcode, errno].some((value) => typeof value === 'number' && BUSY_CODES.includes(value & 0xff))
}

/** The shortest and the longest wait before another try, in milliseconds. */
const FIRST_WAIT = 2
const LONGEST_WAIT = 50

/**
 * Runs synchronous work on a database until it gets its lock, leaving the event loop to others in between. What an
 * engine throws otherwise comes out as GitError `STORAGE`.
 *
 * @param patience how long to try, in milliseconds.
 * @throws GitError `LOCKED` when the time is over.
 */
export async function runPatiently<T>(location: string, patience: number, work: () => T): Promise<T> {
  const end = Date.now() + patience
  for (let wait = FIRST_WAIT; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
    try {
      return work()
    } catch (error) {
      if (isGitError(error)) throw error
      if (!isBusyError(error)) throw storageError(location, error)
      if (Date.now() >= end) {
        throw new GitError('LOCKED', `${location} was locked by others for ${patience} ms; try again`, {
          cause: error,
        })
      }
    }
    // Of several that wait, each for another time, one gets ahead.
    await sleep(wait * (0.5 + Math.random()))
  }
}

/** Lets everything else have its turn. */
export function nextTurn(): Promise<void> {
  return sleep(0)
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

function storageError(location: string, error: unknown): GitError {
  const message = error instanceof Error ? error.message : String(error)
  return new GitError('STORAGE', `${location}: ${message}`, { cause: error })
}
