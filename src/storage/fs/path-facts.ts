import { isAbsent } from './errno.ts'
import type { FileSystem } from './file-system.ts'

/** Whether there is something at a path, links followed. */
export async function isThere(fs: FileSystem, path: string): Promise<boolean> {
  return (await readAge(fs, path)) !== undefined
}

/** Whether there is something at a path that was not written for so many milliseconds. */
export async function isOlderThan(fs: FileSystem, path: string, milliseconds: number): Promise<boolean> {
  const age = await readAge(fs, path)
  return age !== undefined && age > milliseconds
}

/** Milliseconds since it was written; `undefined` where there is nothing. */
async function readAge(fs: FileSystem, path: string): Promise<number | undefined> {
  try {
    return Date.now() - (await fs.stat(path)).mtimeMs
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}
