import { GitError } from '../../src/errors.ts'
import type { ByteRange, StoredFile } from '../../src/storage/stored-file.ts'

/** A stored file in memory that writes down how it is used, and refuses what the contract forbids. */
export class FakeFile {
  readonly bytes: Uint8Array
  /** The ranges of each `read` call. */
  readonly reads: (readonly ByteRange[])[] = []
  opened = 0
  closed = 0
  /** Opening and reading fail with NOT_FOUND while this is set. */
  gone = false

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  readonly open = async (): Promise<StoredFile> => {
    await Promise.resolve()
    if (this.gone) throw new GitError('NOT_FOUND', 'the file is gone')
    this.opened++
    return {
      size: this.bytes.length,
      read: async (ranges) => {
        this.reads.push(ranges)
        await Promise.resolve()
        if (this.gone) throw new GitError('NOT_FOUND', 'the file is gone')
        return ranges.map(({ offset, length }) => {
          if (offset < 0 || length < 0 || offset + length > this.bytes.length)
            throw new RangeError(`read of ${length} at ${offset}`)
          return this.bytes.slice(offset, offset + length)
        })
      },
      close: () => {
        this.closed++
        return Promise.resolve()
      },
    }
  }
}
