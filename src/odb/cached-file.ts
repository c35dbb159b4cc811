import type { LruSpace, SharedLru } from '../bytes/shared-lru.ts'
import type { ByteRange, StoredFile } from '../storage/stored-file.ts'
import { readFrames, type Framing } from './framing.ts'
import type { PackData } from './pack-data.ts'

/** Files up to this size are one block; larger ones are cut into blocks. */
const WHOLE_FILE = 4 << 20
/** The size of blocks, as far as several of them fit the cache. */
const MAX_BLOCK = 1 << 20
const MIN_BLOCK = 1 << 12
/** Frames of fewer bytes are of the small form. */
const SMALL_FRAMES = 1000

/**
 * Synchronous reading of a stored file over a block cache: a range is answered from resident blocks at once, or noted as
 * wanted and fetched by the next `settle`.
 */
export class CachedFile implements PackData {
  readonly size: number
  window: Uint8Array = EMPTY
  windowAt = 0
  readonly #open: () => Promise<StoredFile>
  readonly #blocks: LruSpace<Uint8Array>
  /** Ranges wrapped in frames, see {@link readFramed}. */
  readonly #framed: LruSpace<Uint8Array>
  /** The longest range that is read as blocks; a longer one is read for one use. */
  readonly #maxJoin: number
  readonly #blockSize: number
  readonly #wantedBlocks = new Set<number>()
  /** Ranges too large for the cache, read for one use; keyed by offset. */
  readonly #oversize = new Map<number, Uint8Array | number>()
  #file: Promise<StoredFile> | undefined

  /** @param open opens the file at the first read. */
  constructor(size: number, open: () => Promise<StoredFile>, cache: SharedLru<Uint8Array>) {
    this.size = size
    this.#open = open
    this.#blocks = cache.openSpace()
    this.#framed = cache.openSpace()
    this.#maxJoin = cache.maxBytes / 4
    this.#blockSize = size <= WHOLE_FILE && size <= this.#maxJoin ? Math.max(1, size) : MAX_BLOCK
    while (this.#blockSize > this.#maxJoin && this.#blockSize > MIN_BLOCK) this.#blockSize /= 2
  }

  tryWindow(offset: number, length: number): boolean {
    const end = Math.min(offset + length, this.size)
    const first = Math.floor(offset / this.#blockSize)
    const last = Math.floor(Math.max(offset, end - 1) / this.#blockSize)
    if ((last - first + 1) * this.#blockSize > this.#maxJoin) return this.#tryOversize(offset, end - offset)
    if (first === last) {
      const block = this.#blocks.get(first)
      if (block === undefined) {
        this.#wantedBlocks.add(first)
        return false
      }
      this.window = block
      this.windowAt = offset - first * this.#blockSize
      return true
    }
    return this.#tryJoin(offset, end, first, last)
  }

  #tryOversize(offset: number, length: number): boolean {
    const found = this.#oversize.get(offset)
    if (found instanceof Uint8Array && found.length >= length) {
      this.#oversize.delete(offset)
      this.window = found
      this.windowAt = 0
      return true
    }
    // The longest wish counts, or two that take turns would keep each other waiting.
    this.#oversize.set(offset, typeof found === 'number' ? Math.max(found, length) : length)
    return false
  }

  #tryJoin(offset: number, end: number, first: number, last: number): boolean {
    let complete = true
    for (let block = first; block <= last; block++) {
      if (this.#blocks.get(block) === undefined) {
        this.#wantedBlocks.add(block)
        complete = false
      }
    }
    if (!complete) return false
    const joined = new Uint8Array(end - offset)
    for (let block = first; block <= last; block++) {
      const bytes = this.#blocks.get(block)
      if (bytes === undefined) return false
      const blockAt = block * this.#blockSize
      const from = Math.max(offset, blockAt)
      const to = Math.min(end, blockAt + bytes.length)
      joined.set(bytes.subarray(from - blockAt, to - blockAt), from - offset)
    }
    this.window = joined
    this.windowAt = 0
    return true
  }

  get wanting(): boolean {
    return this.#wantedBlocks.size > 0 || this.#oversize.size > 0
  }

  /** Reads what was noted, neighbouring blocks as one range. */
  async settle(): Promise<void> {
    const blocks = [...this.#wantedBlocks].sort((left, right) => left - right)
    this.#wantedBlocks.clear()
    const runs: { first: number; count: number }[] = []
    for (const block of blocks) {
      const run = runs.at(-1)
      if (run !== undefined && run.first + run.count === block) run.count++
      else runs.push({ first: block, count: 1 })
    }
    const oversize = [...this.#oversize].filter(
      (entry): entry is [number, number] => typeof entry[1] === 'number',
    )
    if (runs.length + oversize.length === 0) return
    const ranges = runs.map(({ first, count }) => {
      const offset = first * this.#blockSize
      return { offset, length: Math.min(count * this.#blockSize, this.size - offset) }
    })
    for (const [offset, length] of oversize) ranges.push({ offset, length })
    const file = await this.file()
    const read = await file.read(ranges)
    runs.forEach(({ first, count }, k) => {
      const bytes = read[k]!
      for (let block = 0; block < count; block++) {
        const at = block * this.#blockSize
        const own = count === 1 ? bytes : bytes.slice(at, at + this.#blockSize)
        this.#blocks.set(first + block, own, own.length)
      }
    })
    oversize.forEach(([offset], k) => this.#oversize.set(offset, read[runs.length + k]!))
  }

  async file(): Promise<StoredFile> {
    this.#file ??= this.#open()
    try {
      return await this.#file
    } catch (error) {
      this.#file = undefined
      throw error
    }
  }

  /** A file that fits the cache several times stays there as it is sent, for the next who asks. */
  async readFramed(range: ByteRange, framing: Framing): Promise<Uint8Array> {
    // Peers know two sizes of frames.
    const key = framing.every < SMALL_FRAMES ? -1 - range.offset : range.offset
    const kept = this.#framed.get(key)
    if (kept !== undefined) return kept
    const bytes = await readFrames(await this.file(), range, framing)
    if (this.size <= this.#maxJoin) this.#framed.set(key, bytes, bytes.length)
    return bytes
  }

  async close(): Promise<void> {
    this.#blocks.clear()
    this.#framed.clear()
    this.#oversize.clear()
    const file = this.#file
    this.#file = undefined
    if (file === undefined) return
    const open = await file.catch(() => undefined)
    await open?.close()
  }
}

const EMPTY: Uint8Array = /* @__PURE__ */ new Uint8Array(0)
