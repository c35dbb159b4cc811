import { constants, type BigIntStats } from 'node:fs'
import { isAbsent } from './errno.ts'
import type { FileSystem, OpenFile } from './file-system.ts'

/** How old a file's last change must be before its time stamps are trusted to tell it from a later one, in ns. */
const SETTLED_AFTER = 2_000_000_000n

/** What a file looked like when it was read. */
interface Stamp {
  readonly device: bigint
  readonly inode: bigint
  readonly size: bigint
  readonly modified: bigint
  readonly changed: bigint
}

interface Reading<Value> {
  /** Undefined: there was no file. */
  readonly stamp: Stamp | undefined
  /** Whether an equal stamp proves equal content: the file was last changed well before it was read. */
  readonly settled: boolean
  readonly bytes: Uint8Array
  readonly value: Value
}

/** A file held open while it was current: as long as it is, no other file can have its inode number. */
export interface PinnedFile<Value> {
  readonly value: Value
  /** Whether the file is still the one of that name. */
  isCurrent(): Promise<boolean>
  close(): Promise<void>
}

/**
 * A small file that others replace by renaming, read and parsed again only when it may have changed. A missing file
 * reads as an empty one.
 *
 * Time stamps cannot tell apart two changes within one tick of the file system's clock, so a file that was changed
 * shortly before it was read is read again; it is parsed again only when its bytes differ.
 */
export class CachedFile<Value> {
  readonly path: string
  readonly #fs: FileSystem
  readonly #parse: (bytes: Uint8Array) => Value
  readonly #memory: { last: Reading<Value> | undefined }

  constructor(
    fs: FileSystem,
    path: string,
    parse: (bytes: Uint8Array) => Value,
    memory: { last: Reading<Value> | undefined } = { last: undefined },
  ) {
    this.#fs = fs
    this.path = path
    this.#parse = parse
    this.#memory = memory
  }

  /** The same file through another view of the file system: what one reads the other need not read again. */
  through(fs: FileSystem): CachedFile<Value> {
    return new CachedFile(fs, this.path, this.#parse, this.#memory)
  }

  /** The value of the file as it is now. */
  async read(): Promise<Value> {
    const last = this.#memory.last
    if (last?.settled) {
      const stamp = await this.#stampOfPath()
      if (last.stamp !== undefined && stamp !== undefined && isSameStamp(last.stamp, stamp)) return last.value
    }
    const file = await this.#open()
    if (file === undefined) return this.#keep(undefined, new Uint8Array(0), false)
    try {
      return await this.#readOpen(file)
    } finally {
      await file.close()
    }
  }

  /** Reads the file and holds it open, so that a change can be noticed for certain. */
  async pin(): Promise<PinnedFile<Value>> {
    const file = await this.#open()
    if (file === undefined) {
      return {
        value: this.#keep(undefined, new Uint8Array(0), false),
        isCurrent: async () => (await this.#stampOfPath()) === undefined,
        close: () => Promise.resolve(),
      }
    }
    try {
      const pinned = stampOf(await file.stat({ bigint: true }))
      const value = await this.#readOpen(file)
      return {
        value,
        isCurrent: async () => {
          const now = await this.#stampOfPath()
          return now !== undefined && isSameStamp(pinned, now)
        },
        close: () => file.close(),
      }
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Forgets what was read. */
  clear(): void {
    this.#memory.last = undefined
  }

  async #readOpen(file: OpenFile): Promise<Value> {
    const now = BigInt(Date.now()) * 1_000_000n
    const stamp = stampOf(await file.stat({ bigint: true }))
    const last = this.#memory.last
    if (last?.settled && last.stamp !== undefined && isSameStamp(last.stamp, stamp)) return last.value
    const newest = stamp.modified > stamp.changed ? stamp.modified : stamp.changed
    return this.#keep(stamp, await file.readFile(), newest + SETTLED_AFTER < now)
  }

  #keep(stamp: Stamp | undefined, bytes: Uint8Array, settled: boolean): Value {
    const last = this.#memory.last
    const value =
      last !== undefined && Buffer.compare(last.bytes, bytes) === 0 ? last.value : this.#parse(bytes)
    this.#memory.last = { stamp, settled, bytes, value }
    return value
  }

  async #open(): Promise<OpenFile | undefined> {
    try {
      return await this.#fs.open(this.path, constants.O_RDONLY)
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw error
    }
  }

  async #stampOfPath(): Promise<Stamp | undefined> {
    try {
      return stampOf(await this.#fs.stat(this.path, { bigint: true }))
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw error
    }
  }
}

function stampOf(stats: BigIntStats): Stamp {
  return {
    device: stats.dev,
    inode: stats.ino,
    size: stats.size,
    modified: stats.mtimeNs,
    changed: stats.ctimeNs,
  }
}

function isSameStamp(left: Stamp, right: Stamp): boolean {
  return (
    left.device === right.device &&
    left.inode === right.inode &&
    left.size === right.size &&
    left.modified === right.modified &&
    left.changed === right.changed
  )
}
