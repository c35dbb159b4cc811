import type { ByteRange, StoredFile } from '../storage/stored-file.ts'
import { readFrames, type Framing } from './framing.ts'
import type { PackData } from './pack-data.ts'

/** A pack that is wholly in memory: everything is resident. */
export class ResidentPackData implements PackData {
  readonly window: Uint8Array
  readonly wanting = false
  windowAt = 0

  constructor(bytes: Uint8Array) {
    this.window = bytes
  }

  get size(): number {
    return this.window.length
  }

  tryWindow(offset: number): boolean {
    this.windowAt = offset
    return true
  }

  async settle(): Promise<void> {
    // Nothing is ever noted.
  }

  file(): Promise<StoredFile> {
    const bytes = this.window
    return Promise.resolve({
      size: bytes.length,
      read: (ranges) =>
        Promise.resolve(ranges.map(({ offset, length }) => bytes.slice(offset, offset + length))),
      close: () => Promise.resolve(),
    })
  }

  async readFramed(range: ByteRange, framing: Framing): Promise<Uint8Array> {
    return readFrames(await this.file(), range, framing)
  }

  async close(): Promise<void> {
    // Nothing is open.
  }
}
