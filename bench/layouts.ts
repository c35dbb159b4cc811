import { copyFile, mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { git, gitLines } from '../test/support/git.ts'
import type { Corpus } from './corpus.ts'

const HOUR = 3_600_000

/** The shares of the history, by commits, at which the packs of a repository in use end. */
const CUTS = [0.8, 0.95]

/**
 * The corpus as a repository in use: a large pack of the older history and two smaller ones of what came since, so that no pack is
 * what a client asks for. No bitmap, no commit-graph.
 */
export function layoutInUse(corpus: Corpus): Promise<string> {
  return kept(corpus, 'in-use.git', async (path) => {
    const { repository } = corpus
    const commits = await gitLines(['rev-list', '--topo-order', '--reverse', '--all'], { cwd: repository })
    const tips = CUTS.map((share) => commits.slice(0, Math.max(1, Math.floor(share * commits.length))))
    await git(['init', '--quiet', '--bare', path])
    await copyFile(join(repository, 'config'), join(path, 'config'))
    await copyFile(join(repository, 'HEAD'), join(path, 'HEAD'))
    const everything = await gitLines(['for-each-ref', '--format=%(objectname)'], { cwd: repository })
    const ranges = [tips[0] ?? [], tips[1] ?? [], everything]
    for (const [at, wants] of ranges.entries()) {
      const before = at === 0 ? [] : (ranges[at - 1] ?? [])
      const input = [...wants, ...before.map((id) => `^${id}`)].join('\n')
      const target = join(path, 'objects/pack/pack')
      const pack = ['pack-objects', '--revs', '--delta-base-offset', '-q', '--threads=0', target]
      await git(pack, { cwd: repository, input: `${input}\n`, timeout: HOUR })
    }
    await copyFile(join(repository, 'packed-refs'), join(path, 'packed-refs'))
  })
}

/** The corpus as git serves it fastest: one pack with a bitmap, and a commit-graph. */
export function layoutWithBitmap(corpus: Corpus): Promise<string> {
  return kept(corpus, 'bitmap.git', async (path) => {
    await copyRepository(corpus, path)
    await git(['repack', '-adbq'], { cwd: path, timeout: HOUR })
    await git(['commit-graph', 'write', '--reachable'], { cwd: path, timeout: HOUR })
  })
}

/** A copy of the corpus as it is; its pack is a link to the same file. */
export async function copyRepository(corpus: Corpus, path: string): Promise<void> {
  await git(['clone', '--quiet', '--mirror', '--local', corpus.repository, path], { timeout: HOUR })
  await copyFile(join(corpus.repository, 'config'), join(path, 'config'))
}

async function kept(corpus: Corpus, name: string, make: (path: string) => Promise<void>): Promise<string> {
  const path = join(corpus.folder, name)
  const exists = await stat(path).then(
    () => true,
    () => false,
  )
  if (exists) return path
  const fresh = join(corpus.folder, `tmp-${name}`)
  await rm(fresh, { recursive: true, force: true })
  await mkdir(corpus.folder, { recursive: true })
  await make(fresh)
  await rename(fresh, path)
  return path
}
