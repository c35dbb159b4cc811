import { open, rename, rm, writeFile } from 'node:fs/promises'
import { GitError } from '../errors.ts'
import { FsStoredFile } from '../storage/fs/fs-stored-file.ts'
import type { StoredFile } from '../storage/stored-file.ts'

/** How much is read in one call: Node refuses more than 2 GiB. */
const READ_BYTES = 1 << 30

/**
 * Reads a file of any size that fits into one array, in memory that threads may share where that is asked for.
 *
 * @throws GitError `STORAGE`
 */
export async function readWholeFile(
  path: string,
  { shared = false }: { readonly shared?: boolean } = {},
): Promise<Uint8Array> {
  try {
    const file = await open(path)
    try {
      const { size } = await file.stat()
      const bytes = new Uint8Array(shared ? new SharedArrayBuffer(size) : new ArrayBuffer(size))
      for (let at = 0; at < size;) {
        const { bytesRead } = await file.read(bytes, at, Math.min(READ_BYTES, size - at), at)
        if (bytesRead === 0) throw new GitError('STORAGE', `${path} became shorter while it was read`)
        at += bytesRead
      }
      return bytes
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw cannot('read', path, cause)
  }
}

/**
 * Opens a file that ranges are read of.
 *
 * @throws GitError `STORAGE`, from reading too
 */
export async function openRangeReader(path: string): Promise<StoredFile> {
  try {
    const file = await open(path)
    const { size } = await file.stat()
    return new FsStoredFile(file, { path, size, onClose: () => undefined })
  } catch (cause) {
    throw cannot('read', path, cause)
  }
}

/** Writes a read-only file in one step: it is there whole, or not at all. An existing one is replaced. */
export async function writeWholeFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp-${process.pid}`
  try {
    await writeFile(temporary, bytes, { flag: 'wx', mode: 0o444, flush: true })
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw cannot('write', path, cause)
  }
}

function cannot(verb: 'read' | 'write', path: string, cause: unknown): GitError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new GitError('STORAGE', `cannot ${verb} '${path}': ${reason}`, { cause })
}
