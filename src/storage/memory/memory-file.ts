import { concatBytes } from '../../bytes/concat.ts'
import { GitError } from '../../errors.ts'
import {
  assertWithin,
  type ByteRange,
  type FileWriter,
  type StagedFile,
  type StoredFile,
} from '../stored-file.ts'

/** Opens an array of bytes, which nobody may change any more, as a file. */
export function openMemoryFile(bytes: Uint8Array): StoredFile {
  let open = true
  return {
    size: bytes.length,
    // eslint-disable-next-line @typescript-eslint/require-await -- async turns what is thrown into a rejection
    async read(ranges) {
      if (!open) throw new GitError('INVALID_ARGUMENT', 'this file was closed; open it again to read it')
      for (const range of ranges) assertWithin(range, bytes.length, 'this file')
      return ranges.map(({ offset, length }) => bytes.slice(offset, offset + length))
    },
    close() {
      open = false
      return Promise.resolve()
    },
  }
}

/** A complete file that belongs to whoever staged it, until a commit takes its bytes. */
export class MemoryStagedFile implements StagedFile {
  readonly size: number
  #bytes: Uint8Array | undefined
  readonly #file: StoredFile

  constructor(bytes: Uint8Array) {
    this.size = bytes.length
    this.#bytes = bytes
    this.#file = openMemoryFile(bytes)
  }

  /** The bytes, unless they were discarded or given away. */
  get bytes(): Uint8Array | undefined {
    return this.#bytes
  }

  /** Gives the bytes to the store: from here on `discard` does nothing. */
  giveAway(): void {
    this.#bytes = undefined
  }

  read(ranges: readonly ByteRange[]): Promise<Uint8Array[]> {
    return this.#file.read(ranges)
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  async discard(): Promise<void> {
    if (this.#bytes === undefined) return
    this.#bytes = undefined
    await this.#file.close()
  }
}

/** Begins a file: chunks are copied on arrival and joined at the end. */
export function createMemoryFile(): FileWriter {
  let chunks: Uint8Array[] | undefined = []
  const opened = (): Uint8Array[] => {
    if (chunks !== undefined) return chunks
    throw new GitError('INVALID_ARGUMENT', 'this file was finished or discarded; begin a new one')
  }
  return {
    // eslint-disable-next-line @typescript-eslint/require-await -- async turns what is thrown into a rejection
    async write(chunk) {
      opened().push(chunk.slice())
    },
    // eslint-disable-next-line @typescript-eslint/require-await -- async turns what is thrown into a rejection
    async finish() {
      const staged = new MemoryStagedFile(concatBytes(opened()))
      chunks = undefined
      return staged
    },
    discard() {
      chunks = undefined
      return Promise.resolve()
    },
  }
}
