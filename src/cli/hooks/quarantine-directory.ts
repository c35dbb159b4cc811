import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { QuarantinedPack } from '../../http/index.ts'

/** The environment in which git sees the received objects beside the stored ones, and a directory behind it. */
export interface QuarantineDirectory {
  readonly env: Readonly<Record<string, string>>
  remove(): Promise<void>
}

/**
 * Puts a received pack where git keeps such objects itself (git-receive-pack, "Quarantine Environment"): a directory below
 * `objects` that git's own maintenance removes should we not.
 */
export async function createQuarantineDirectory(
  gitDirectory: string,
  pack: QuarantinedPack,
): Promise<QuarantineDirectory> {
  const objects = join(gitDirectory, 'objects')
  const path = await mkdtemp(join(objects, 'tmp_objdir-incoming-'))
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true })
  try {
    await mkdir(join(path, 'pack'))
    const file = await open(join(path, 'pack', `${pack.name}.pack`), 'wx', 0o444)
    try {
      for await (const piece of pack.read()) await file.writeFile(piece)
    } finally {
      await file.close()
    }
    await writeFile(join(path, 'pack', `${pack.name}.idx`), pack.index, { mode: 0o444 })
  } catch (error) {
    await remove()
    throw error
  }
  return {
    env: {
      GIT_QUARANTINE_PATH: path,
      GIT_OBJECT_DIRECTORY: path,
      GIT_ALTERNATE_OBJECT_DIRECTORIES: objects,
    },
    remove,
  }
}
