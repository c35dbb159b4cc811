import { dirname, join } from 'node:path'
import type { DerivedFileKind } from '../repository-storage.ts'
import type { FileSystem } from './file-system.ts'
import {
  makeDirectories,
  readFileIfThere,
  removeFile,
  shareFile,
  type GitDirectory,
} from './git-directory.ts'
import { isPackName } from './pack-directory.ts'
import { isOlderThan } from './path-facts.ts'
import { randomSuffix } from './random-name.ts'

/** Our own folder inside a repository: git looks at nothing in it, and its gc leaves it alone. */
const FOLDER = 'packstone'

/** What git has beside its packs. */
const GIT_KINDS: ReadonlySet<DerivedFileKind> = /* @__PURE__ */ new Set<DerivedFileKind>([
  'rev',
  'bitmap',
  'mtimes',
])

/**
 * Reads a file derived from a pack, from this repository or from the alternate that holds the pack.
 *
 * @param objectDirectories of the repository and its alternates.
 */
export async function readDerivedFile(
  fs: FileSystem,
  objectDirectories: readonly string[],
  pack: string,
  kind: DerivedFileKind,
): Promise<Uint8Array | undefined> {
  if (!isPackName(pack)) return undefined
  for (const objects of objectDirectories) {
    const folder = GIT_KINDS.has(kind) ? join(objects, 'pack') : join(dirname(objects), FOLDER)
    const bytes = await readFileIfThere(fs, join(folder, `${pack}.${kind}`))
    if (bytes !== undefined) return bytes
  }
  return undefined
}

/** Writes a derived file under a temporary name and renames it; then removes those of packs that are gone. */
export async function writeDerivedFile(
  directory: GitDirectory,
  packNames: ReadonlySet<string>,
  pack: string,
  kind: DerivedFileKind,
  bytes: Uint8Array,
): Promise<void> {
  if (!packNames.has(pack)) return
  const { fs } = directory
  const isGits = GIT_KINDS.has(kind)
  const folder = isGits ? join(directory.path, 'objects', 'pack') : join(directory.path, FOLDER)
  await makeDirectories(directory, folder)
  const temporary = join(folder, `tmp_${isGits ? `${kind}_` : ''}${randomSuffix()}`)
  const file = await fs.open(temporary, 'wx', 0o666)
  try {
    await file.writeFile(bytes)
    await shareFile(directory, file, 0o444)
  } finally {
    await file.close()
  }
  await fs.rename(temporary, join(folder, `${pack}.${kind}`))
  if (!isGits) await removeOrphans(fs, folder, packNames)
}

/** A temporary file older than this was left by a process that died. */
const STALE_AFTER = 3_600_000

async function removeOrphans(fs: FileSystem, folder: string, packNames: ReadonlySet<string>): Promise<void> {
  for (const name of await fs.readdir(folder)) {
    const path = join(folder, name)
    if (name.startsWith('tmp_')) {
      if (await isOlderThan(fs, path, STALE_AFTER)) await removeFile(fs, path)
    } else if (isDerived(name) && !packNames.has(name.slice(0, name.lastIndexOf('.')))) {
      await removeFile(fs, path)
    }
  }
}

/** Masks and the outbox are in the folder too, and cannot be built again. */
function isDerived(name: string): boolean {
  return name.includes('.') && !name.endsWith('.visible')
}
