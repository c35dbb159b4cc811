import { constants, lstatSync, realpathSync, statSync, type Stats } from 'node:fs'
import { localFileSystem, type FileSystem } from './file-system.ts'

/** How old a path's last change must be before its time stamps are trusted to tell it from a later one, in milliseconds. */
const SETTLED_AFTER = 2000
/** A value that depends on more paths is not kept: looking at all of them would hold up other work. */
const MAX_PATHS = 4096

/** What a path looked like: `follow` says whether through symbolic links. */
interface Watch {
  readonly path: string
  readonly follow: boolean
  /** Undefined: there was nothing. */
  readonly stats: Stats | undefined
}

/** What was read, as of some moment. */
interface Reading<Value> {
  readonly watches: readonly Watch[]
  readonly value: Value
}

/**
 * A value that is computed from files and directories, and computed again only when one of those may have changed: each path that the
 * computation touches is remembered as it was before, and is looked at again whenever the value is asked for.
 *
 * Looking is synchronous. The kernel answers for a path that was just looked at in some microseconds, a tenth of what a turn through the
 * thread pool costs. Time stamps cannot tell apart two changes within one tick of the file system's clock, so a value that depends
 * on what changed shortly before it was read is not kept.
 */
export class WatchedValue<Value> {
  readonly #fs: FileSystem
  readonly #compute: (fs: FileSystem) => Promise<Value>
  #last: Reading<Value> | undefined

  /** @param compute reads through the file system that it is given, and changes nothing there. */
  constructor(fs: FileSystem, compute: (fs: FileSystem) => Promise<Value>) {
    this.#fs = fs
    this.#compute = compute
  }

  /** The value as it is now. */
  async read(): Promise<Value> {
    // Another file system than the machine's own cannot be looked at in this way.
    if (this.#fs !== localFileSystem) return this.#compute(this.#fs)
    const last = this.#last
    if (last?.watches.every(isSame) === true) return last.value
    const watches: Watch[] = []
    const now = Date.now()
    const value = await this.#compute(watchingFileSystem(this.#fs, watches))
    const kept = watches.length <= MAX_PATHS && watches.every((watch) => isSettled(watch, now))
    this.#last = kept ? { watches, value } : undefined
    return value
  }

  /** Forgets what was read. */
  clear(): void {
    this.#last = undefined
  }
}

/** A file system that notes each path before it reads there. What only looks at a path gets what was seen then. */
function watchingFileSystem(fs: FileSystem, watches: Watch[]): FileSystem {
  const seen = new Set<string>()
  /** Undefined where there is nothing, and for a path that was noted before. */
  const note = (path: unknown, follow: boolean): Stats | undefined => {
    const text = String(path)
    const key = follow ? text : `${text}\0`
    if (seen.has(key)) return undefined
    seen.add(key)
    const stats = look(text, follow)
    watches.push({ path: text, follow, stats })
    return stats
  }
  /** Reads after the path was noted; what `answer` makes of that is not read. */
  const noting = <Read>(
    read: Read,
    follow: boolean,
    answer?: (stats: Stats, path: string) => unknown,
  ): Read => {
    if (typeof read !== 'function') return read
    const noted = (...args: unknown[]): unknown => {
      const stats = note(args[0], follow)
      // Who asks for another form of the answer gives more arguments.
      const isAnswered = stats !== undefined && answer !== undefined && args.length === 1
      if (!isAnswered) return Reflect.apply(read, undefined, args)
      return new Promise((resolve) => {
        resolve(answer(stats, String(args[0])))
      })
    }
    return noted as Read
  }
  return {
    ...fs,
    stat: noting(fs.stat, true, (stats) => stats),
    lstat: noting(fs.lstat, false, (stats) => stats),
    readdir: noting(fs.readdir, true),
    readlink: noting(fs.readlink, false),
    realpath: noting(fs.realpath, true, (_, path) => realpathSync.native(path)),
    open: (path, flags, mode) => {
      note(path, typeof flags !== 'number' || (flags & constants.O_NOFOLLOW) === 0)
      return fs.open(path, flags, mode)
    },
  }
}

function look(path: string, follow: boolean): Stats | undefined {
  try {
    return follow ? statSync(path, { throwIfNoEntry: false }) : lstatSync(path, { throwIfNoEntry: false })
  } catch {
    // What cannot be looked at (no permission, a circle of links) the computation meets as well, and says so.
    return undefined
  }
}

function isSame({ path, follow, stats }: Watch): boolean {
  const now = look(path, follow)
  if (now === undefined || stats === undefined) return now === stats
  return (
    now.mtimeMs === stats.mtimeMs &&
    now.ctimeMs === stats.ctimeMs &&
    now.ino === stats.ino &&
    now.size === stats.size &&
    now.dev === stats.dev
  )
}

function isSettled({ stats }: Watch, now: number): boolean {
  return stats === undefined || Math.max(stats.mtimeMs, stats.ctimeMs) + SETTLED_AFTER < now
}
