import { join } from 'node:path'
import { GitError } from '../../../errors.ts'
import type { ObjectId } from '../../../object/object-id.ts'
import { isWellFormedRefName } from '../../../refs/ref-name.ts'
import { parseReflog } from '../../../refs/reflog.ts'
import type { LayoutRoots } from '../../storage-maintenance.ts'
import { isAbsent } from '../errno.ts'
import type { FileSystem } from '../file-system.ts'
import { readFileIfThere } from '../git-directory.ts'
import { mapInParallel } from '../in-parallel.ts'
import { readLooseRef, type LooseRefPlace } from '../loose-refs.ts'
import { isThere } from '../path-facts.ts'

/**
 * Lists what keeps objects alive besides refs: the logs of refs. A repository with a work tree has more (its index, other work trees),
 * and then the list is said to be incomplete.
 *
 * @throws GitError `CORRUPT_REF` when there is a file among the loose refs that is no ref: what it should name is not known.
 */
export async function listLayoutRoots(place: LooseRefPlace): Promise<LayoutRoots> {
  const { fs, path } = place
  await assertRefsReadable(place)
  const ids = new Set<ObjectId>()
  const logs = await listFiles(fs, join(path, 'logs'))
  await mapInParallel(logs, async (log) => {
    const content = await readFileIfThere(fs, log)
    if (content === undefined) return
    for (const { before, after } of parseReflog(content)) {
      for (const id of [before, after]) if (!/^0+$/.test(id) && id.length === place.hexLength) ids.add(id)
    }
  })
  for (const name of ['index', 'worktrees', 'modules']) {
    if (await isThere(fs, join(path, name)))
      return { ids: [...ids], incomplete: `the repository has a work tree (${name} is there)` }
  }
  return { ids: [...ids], incomplete: undefined }
}

/** Git does not list refs of ill-formed names and skips files that hold no value; what they were to name would be taken for garbage. */
async function assertRefsReadable(place: LooseRefPlace): Promise<void> {
  const top = place.path
  for (const file of await listFiles(place.fs, join(top, 'refs'))) {
    const name = file.slice(top.length + 1)
    if (name.endsWith('.lock')) continue
    if (name.includes('\ufffd') || !isWellFormedRefName(name)) {
      throw new GitError(
        'CORRUPT_REF',
        `${file} is no ref: its name is not allowed; nobody knows what it keeps alive, so nothing is collected: rename or remove it`,
        { details: { path: file } },
      )
    }
    await readLooseRef(place, name)
  }
}

async function listFiles(fs: FileSystem, folder: string): Promise<string[]> {
  const files: string[] = []
  try {
    for (const entry of await fs.readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) files.push(...(await listFiles(fs, path)))
      else files.push(path)
    }
  } catch (error) {
    if (!isAbsent(error)) throw error
  }
  return files
}
