import { join } from 'node:path'
import { GitError } from '../../errors.ts'
import type { PackFileKind } from '../repository-storage.ts'
import type { ByteRange, FileWriter, StagedFile } from '../stored-file.ts'
import { hasErrno, storing } from './errno.ts'
import type { OpenFile } from './file-system.ts'
import { FsStoredFile } from './fs-stored-file.ts'
import { finishFile, makeDurableDirectories, removeFile, type GitDirectory } from './git-directory.ts'
import { randomSuffix } from './random-name.ts'

/** Small chunks are gathered up to this many bytes before they are written. */
const BUFFER_SIZE = 256 * 1024

/** A pack file that is complete under a temporary name, which git's own gc removes when it has become old. */
export class FsStagedFile implements StagedFile {
  readonly kind: PackFileKind
  readonly size: number
  readonly #path: string
  readonly #directory: GitDirectory
  readonly #file: FsStoredFile
  #state: 'staged' | 'taken' | 'discarded' = 'staged'

  constructor(directory: GitDirectory, options: { kind: PackFileKind; path: string; file: FsStoredFile }) {
    this.#directory = directory
    this.kind = options.kind
    this.#path = options.path
    this.#file = options.file
    this.size = options.file.size
  }

  read(ranges: readonly ByteRange[]): Promise<Uint8Array[]> {
    return this.#file.read(ranges)
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  /** Whether the file is still there for a commit to take into this repository. */
  isStagedIn(directory: GitDirectory): boolean {
    return this.#state === 'staged' && directory.path === this.#directory.path
  }

  /** Gives the file its final name, unless there is a file of that name: then false. */
  async linkTo(path: string): Promise<boolean> {
    const { fs } = this.#directory
    try {
      await fs.link(this.#path, path)
    } catch (error) {
      if (hasErrno(error, 'EEXIST')) return false
      // No hard links here. Renaming may replace a file that has appeared this moment; it has the same content.
      if (!hasErrno(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK')) throw error
      await this.renameTo(path)
      return true
    }
    this.#state = 'taken'
    await removeFile(fs, this.#path)
    return true
  }

  /** Gives the file its final name, in the place of what has it. */
  async renameTo(path: string): Promise<void> {
    await this.#directory.fs.rename(this.#path, path)
    this.#state = 'taken'
  }

  async discard(): Promise<void> {
    await this.close()
    if (this.#state !== 'staged') return
    this.#state = 'discarded'
    await storing(this.#path, () => removeFile(this.#directory.fs, this.#path))
  }
}

/** Begins a pack file under a temporary name of git's kind. `onClose` is told when the staged file is closed. */
export async function createStagedFile(
  directory: GitDirectory,
  kind: PackFileKind,
  onOpen: (file: FsStoredFile) => void,
  onClose: (file: FsStoredFile) => void,
): Promise<FileWriter> {
  const { file, path } = await openTemporary(directory, kind)
  return new StagedFileWriter(directory, { kind, file, path, onOpen, onClose })
}

async function openTemporary(
  directory: GitDirectory,
  kind: PackFileKind,
): Promise<{ file: OpenFile; path: string }> {
  const packs = join(directory.path, 'objects', 'pack')
  for (let attempt = 0; ; attempt++) {
    const path = join(packs, `tmp_${kind}_${randomSuffix()}`)
    try {
      return { file: await directory.fs.open(path, 'wx+', 0o600), path }
    } catch (error) {
      if (attempt >= 16 || !hasErrno(error, 'ENOENT', 'EEXIST')) throw error
      if (hasErrno(error, 'ENOENT')) await makeDurableDirectories(directory, packs)
    }
  }
}

interface WriterParts {
  readonly kind: PackFileKind
  readonly file: OpenFile
  readonly path: string
  readonly onOpen: (file: FsStoredFile) => void
  readonly onClose: (file: FsStoredFile) => void
}

class StagedFileWriter implements FileWriter {
  readonly #directory: GitDirectory
  readonly #parts: WriterParts
  #buffer: Uint8Array | undefined
  #buffered = 0
  #written = 0
  #state: 'open' | 'failed' | 'finished' | 'discarded' = 'open'

  constructor(directory: GitDirectory, parts: WriterParts) {
    this.#directory = directory
    this.#parts = parts
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#assertOpen()
    if (chunk.length >= BUFFER_SIZE) {
      await this.#flush()
      await this.#append(chunk)
      return
    }
    if (this.#buffered + chunk.length > BUFFER_SIZE) await this.#flush()
    this.#buffer ??= new Uint8Array(BUFFER_SIZE)
    this.#buffer.set(chunk, this.#buffered)
    this.#buffered += chunk.length
  }

  async finish(): Promise<StagedFile> {
    this.#assertOpen()
    const { kind, file, path, onOpen, onClose } = this.#parts
    await this.#flush()
    await this.#guard(() => finishFile(this.#directory, file, { mode: 0o444 }))
    this.#state = 'finished'
    this.#buffer = undefined
    const stored: FsStoredFile = new FsStoredFile(file, {
      path,
      size: this.#written,
      onClose: () => {
        onClose(stored)
      },
    })
    onOpen(stored)
    return new FsStagedFile(this.#directory, { kind, path, file: stored })
  }

  async discard(): Promise<void> {
    if (this.#state === 'finished' || this.#state === 'discarded') return
    this.#state = 'discarded'
    this.#buffer = undefined
    const { file, path } = this.#parts
    await storing(path, async () => {
      await file.close()
      await removeFile(this.#directory.fs, path)
    })
  }

  async #flush(): Promise<void> {
    if (this.#buffer === undefined || this.#buffered === 0) return
    const bytes = this.#buffer.subarray(0, this.#buffered)
    this.#buffered = 0
    await this.#append(bytes)
  }

  async #append(bytes: Uint8Array): Promise<void> {
    await this.#guard(async () => {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.#parts.file.write(bytes, done, bytes.length - done, this.#written)
        done += bytesWritten
        this.#written += bytesWritten
      }
    })
  }

  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await storing(this.#parts.path, work)
    } catch (error) {
      this.#state = 'failed'
      throw error
    }
  }

  #assertOpen(): void {
    if (this.#state === 'open') return
    throw new GitError(
      'INVALID_ARGUMENT',
      `the file ${this.#parts.path} cannot be written: it is ${this.#state}`,
    )
  }
}
