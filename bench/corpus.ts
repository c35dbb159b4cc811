import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { git } from '../test/support/git.ts'
import { createHistory, type HistoryName } from '../test/support/histories.ts'
import { listPacks, listReachable } from '../test/support/repositories.ts'

/** A bare repository of one pack, to measure on. */
export interface Corpus {
  readonly name: string
  readonly repository: string
  /** Path of its pack, without extension. */
  readonly pack: string
  readonly packBytes: number
  readonly objects: number
}

/** Generates a history and packs it as `git gc --aggressive` would not bother to: depth 50, window 10. */
export async function generateCorpus(history: HistoryName, scale: number, folder: string): Promise<Corpus> {
  const repository = await createHistory(history, join(folder, `${history}.git`), { scale })
  await git(['repack', '-adfq', '--depth=50', '--window=10'], { cwd: repository })
  return describe(history, repository)
}

/** Copies somebody's repository and packs the copy in the same way. */
export async function copyCorpus(source: string, folder: string): Promise<Corpus> {
  const name = basename(source).replace(/\.git$/, '')
  const repository = join(folder, `${name}.git`)
  await git(['clone', '--quiet', '--mirror', '--no-local', source, repository], { timeout: 3_600_000 })
  await git(['repack', '-adfq', '--depth=50', '--window=10'], { cwd: repository, timeout: 3_600_000 })
  return describe(name, repository)
}

async function describe(name: string, repository: string): Promise<Corpus> {
  const [pack] = await listPacks(repository)
  if (pack === undefined) throw new Error(`${repository} has no pack`)
  const { size } = await stat(`${pack}.pack`)
  return { name, repository, pack, packBytes: size, objects: (await listReachable(repository)).length }
}
