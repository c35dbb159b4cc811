import { createHash } from 'node:crypto'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { git, gitLines, tryGit } from './git.ts'

/** Lets anonymous clients push to a repository over HTTP. */
export async function allowPush(repository: string): Promise<void> {
  await git(['config', 'http.receivepack', 'true'], { cwd: repository })
}

/** Every ref with its value, peeled value and symbolic target, one line each. */
export function readRefLines(repository: string, prefix = 'refs/'): Promise<string[]> {
  return gitLines(['for-each-ref', '--format=%(refname) %(objectname) %(*objectname)', prefix], {
    cwd: repository,
  })
}

/** Ids of all objects that the given revisions reach, sorted. */
export async function listReachable(
  repository: string,
  revisions: readonly string[] = ['--all'],
): Promise<string[]> {
  const lines = await gitLines(['rev-list', '--objects', '--no-object-names', ...revisions], {
    cwd: repository,
  })
  return [...new Set(lines)].sort()
}

/** What a repository holds: its refs and everything they reach. Two repositories with equal contents are the same to users. */
export async function readContents(repository: string): Promise<{ refs: string[]; reachable: string[] }> {
  const [refs, reachable] = await Promise.all([readRefLines(repository), listReachable(repository)])
  return { refs, reachable }
}

/** Ids of all objects that are there, reachable or not, sorted. */
export async function listObjects(repository: string): Promise<string[]> {
  const args = ['cat-file', '--batch-all-objects', '--batch-check=%(objectname)', '--unordered']
  return [...new Set(await gitLines(args, { cwd: repository }))].sort()
}

/** Paths of the repository's packs, without extension. */
export async function listPacks(repository: string): Promise<string[]> {
  const folder = join(await git(['rev-parse', '--absolute-git-dir'], { cwd: repository }), 'objects/pack')
  const names = await readdir(folder)
  return names
    .filter((name) => name.endsWith('.pack'))
    .map((name) => join(folder, name.slice(0, -'.pack'.length)))
}

/**
 * What git finds wrong with a repository: `git fsck --full --strict`, `git verify-pack -v` and `git index-pack --strict` on
 * every pack, and for each index whether it is, byte for byte, the one that git makes. Nothing when all is well.
 */
export async function findFaults(repository: string): Promise<string[]> {
  const faults: string[] = []
  const fsck = await tryGit(['fsck', '--full', '--strict', '--no-progress', '--no-dangling'], {
    cwd: repository,
  })
  if (fsck.code !== 0) faults.push(`fsck: ${fsck.stdout.toString()}${fsck.stderr}`)
  for (const pack of await listPacks(repository)) {
    const verified = await tryGit(['verify-pack', '-v', `${pack}.idx`], { cwd: repository })
    if (verified.code !== 0) faults.push(`verify-pack: ${verified.stderr}`)
    const mine = `${pack}.compared-idx`
    const made = await tryGit(['index-pack', '--strict', '-o', mine, `${pack}.pack`], { cwd: repository })
    if (made.code !== 0) {
      faults.push(`index-pack: ${made.stderr}`)
      continue
    }
    if (!(await readFile(mine)).equals(await readFile(`${pack}.idx`)))
      faults.push(`${pack}.idx is not what git makes`)
    await rm(mine, { force: true })
  }
  return faults
}

/** Every file under a folder with a digest of its content, sorted: equal before and after when nothing changed. */
export async function snapshotFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const lines = await Promise.all(
    entries.map(async (entry) => {
      const path = join(entry.parentPath, entry.name)
      const name = relative(folder, path)
      if (!entry.isFile()) return `${name}/`
      return `${name} ${createHash('sha1')
        .update(await readFile(path))
        .digest('hex')}`
    }),
  )
  return lines.sort()
}

/** Names of files that a writer has not finished or not cleaned up. */
export async function listLeftovers(repository: string): Promise<string[]> {
  const names = await readdir(repository, { recursive: true })
  return names.filter((name) => /(^|\/)(tmp_|incoming-|\.tmp-|\.staged)|\.lock$|\.tmp$/.test(name)).sort()
}
