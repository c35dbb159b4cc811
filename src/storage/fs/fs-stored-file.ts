import { GitError } from '../../errors.ts'
import { assertWithin, type ByteRange, type Spacing, type StoredFile } from '../stored-file.ts'
import { storing } from './errno.ts'
import type { OpenFile } from './file-system.ts'
import { mapInParallel } from './in-parallel.ts'

/** Readings of one call that are under way at a time: as many as Node has threads for them. */
const PARALLEL_READS = 4

/** A file held open, so that it stays readable when its name goes away. */
export class FsStoredFile implements StoredFile {
  readonly size: number
  readonly #path: string
  readonly #file: OpenFile
  readonly #onClose: () => void
  #closing: Promise<void> | undefined

  constructor(file: OpenFile, options: { path: string; size: number; onClose: () => void }) {
    this.#file = file
    this.size = options.size
    this.#path = options.path
    this.#onClose = options.onClose
  }

  async read(ranges: readonly ByteRange[]): Promise<Uint8Array[]> {
    this.#assertReadable(ranges)
    return storing(this.#path, () => mapInParallel(ranges, (range) => this.#readRange(range), PARALLEL_READS))
  }

  async readSpaced(range: ByteRange, { every, gap }: Spacing): Promise<Uint8Array> {
    this.#assertReadable([range])
    const { offset, length } = range
    // Gaps are the caller's to fill, and everything else is read: nothing of what was in this memory shows.
    const bytes = Buffer.allocUnsafeSlow(length + gap * Math.ceil(length / every))
    const parts: Uint8Array[] = []
    for (let at = gap; at < bytes.length; at += every + gap) parts.push(bytes.subarray(at, at + every))
    await storing(this.#path, () => this.#readParts(parts, offset))
    return bytes
  }

  #assertReadable(ranges: readonly ByteRange[]): void {
    for (const range of ranges) assertWithin(range, this.size, this.#path)
    if (this.#closing !== undefined) throw new GitError('STORAGE', `${this.#path} was closed; open it again`)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#onClose()
    await this.#file.close()
  }

  async #readParts(parts: Uint8Array[], offset: number): Promise<void> {
    let rest = parts
    let at = offset
    while (rest.length > 0) {
      const { bytesRead } = await this.#file.readv(rest, at)
      if (bytesRead === 0) throw this.#ended(at)
      at += bytesRead
      let left = bytesRead
      rest = rest.flatMap((part) => {
        const taken = Math.min(left, part.length)
        left -= taken
        return taken === part.length ? [] : [part.subarray(taken)]
      })
    }
  }

  async #readRange({ offset, length }: ByteRange): Promise<Uint8Array> {
    const bytes = new Uint8Array(length)
    for (let done = 0; done < length;) {
      const { bytesRead } = await this.#file.read(bytes, done, length - done, offset + done)
      if (bytesRead === 0) throw this.#ended(offset + done)
      done += bytesRead
    }
    return bytes
  }

  #ended(offset: number): GitError {
    return new GitError('STORAGE', `${this.#path} ended at byte ${offset} of ${this.size}`, {
      details: { offset, size: this.size },
    })
  }
}
