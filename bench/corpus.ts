import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { git, gitLines } from '../test/support/git.ts'
import { createHistory, type HistoryName } from '../test/support/histories.ts'
import { listPacks, listReachable } from '../test/support/repositories.ts'

/** A repository to measure on, in a folder of its own where copies in other layouts lie beside it. */
export interface Corpus {
  readonly name: string
  readonly folder: string
  /** The bare repository: one pack, depth 50 and window 10 unless its shape says otherwise, no bitmap and no commit-graph. */
  readonly repository: string
  /** Path of its pack, without extension. */
  readonly pack: string
  readonly packBytes: number
  readonly objects: number
  /** Bytes of all objects, each whole. */
  readonly expandedBytes: number
  /** Length of the delta chains, on average over the deltas. */
  readonly averageDepth: number
}

/** How a generated corpus is made. */
export interface CorpusShape {
  readonly name: string
  readonly history: HistoryName
  readonly scale: number
  readonly seed?: number
  readonly depth?: number
}

export const GENERATED: readonly CorpusShape[] = [
  { name: 'source-large', history: 'source-like', scale: 80 },
  { name: 'source-small', history: 'source-like', scale: 25, seed: 2 },
  { name: 'data-like', history: 'data-like', scale: 25 },
  { name: 'deep-chains', history: 'data-like', scale: 12, seed: 2, depth: 250 },
  { name: 'large-blobs', history: 'large-blobs', scale: 4 },
  { name: 'tiny-files', history: 'tiny-files', scale: 10 },
]

/** What a smoke run works on. */
export const SMOKE: readonly CorpusShape[] = [{ name: 'smoke', history: 'source-like', scale: 0.3 }]

const HOUR = 3_600_000

/** Generates a corpus, or takes the one that an earlier run left in the folder. */
export function generateCorpus(shape: CorpusShape, root: string): Promise<Corpus> {
  return keptCorpus(shape.name, root, JSON.stringify(shape), async (repository) => {
    const { history, scale, seed = 1, depth = 50 } = shape
    await createHistory(history, repository, { scale, seed })
    await repackWhole(repository, depth)
  })
}

/** Copies somebody's repository, all refs and packed anew, or takes the copy of an earlier run when no ref has moved since. */
export async function copyCorpus(source: string, root: string): Promise<Corpus> {
  const path = resolve(source)
  const name = basename(path === '.git' ? resolve(path, '..') : path).replace(/\.git$/, '')
  const refs = await git(['for-each-ref'], { cwd: path })
  const identity = `${path}\n${createHash('sha256').update(refs).digest('hex')}`
  return keptCorpus(name, root, identity, async (repository) => {
    await git(['clone', '--quiet', '--mirror', '--no-local', path, repository], { timeout: HOUR })
    await repackWhole(repository, 50)
  })
}

/** Packs everything in one pack with all deltas searched anew, and no more than the pack. */
async function repackWhole(repository: string, depth: number): Promise<void> {
  // One thread wherever git asks for the number, as everything here is on one core.
  await git(['config', 'pack.threads', '1'], { cwd: repository })
  await git(['config', 'http.receivepack', 'true'], { cwd: repository })
  const plain = ['-c', 'repack.writeBitmaps=false', '-c', 'core.commitGraph=false', '-c', 'pack.threads=0']
  const repack = ['repack', '-adfq', `--depth=${depth}`, '--window=10']
  await git([...plain, ...repack], { cwd: repository, timeout: HOUR })
  await git(['pack-refs', '--all'], { cwd: repository })
}

interface Kept {
  readonly identity: string
  readonly corpus: Omit<Corpus, 'folder' | 'repository' | 'pack'>
  readonly pack: string
}

async function keptCorpus(
  name: string,
  root: string,
  identity: string,
  make: (repository: string) => Promise<void>,
): Promise<Corpus> {
  const folder = join(root, name)
  const repository = join(folder, 'whole.git')
  const record = join(folder, 'corpus.json')
  const placed = ({ corpus, pack }: Kept): Corpus => ({
    ...corpus,
    folder,
    repository,
    pack: join(repository, 'objects/pack', pack),
  })
  const kept = await readKept(record)
  if (kept?.identity === identity) return placed(kept)

  const fresh = `${folder}.tmp`
  for (const path of [folder, fresh]) await rm(path, { recursive: true, force: true })
  await mkdir(fresh, { recursive: true })
  await make(join(fresh, 'whole.git'))
  const made = { identity, ...(await describe(name, join(fresh, 'whole.git'))) }
  await writeFile(join(fresh, 'corpus.json'), JSON.stringify(made))
  await rename(fresh, folder)
  return placed(made)
}

async function readKept(record: string): Promise<Kept | undefined> {
  let text: string
  try {
    text = await readFile(record, 'utf8')
  } catch {
    // Not there, or not finished: it is made.
    return undefined
  }
  return JSON.parse(text) as Kept
}

async function describe(name: string, repository: string): Promise<Omit<Kept, 'identity'>> {
  const [pack] = await listPacks(repository)
  if (pack === undefined) throw new Error(`${repository} has no pack`)
  const { size } = await stat(`${pack}.pack`)
  const check = ['cat-file', '--batch-all-objects', '--unordered', '--batch-check=%(objectsize)']
  const sizes = await gitLines(check, { cwd: repository, timeout: HOUR })
  const corpus = {
    name,
    packBytes: size,
    objects: (await listReachable(repository)).length,
    expandedBytes: sizes.reduce((sum, line) => sum + Number(line), 0),
    averageDepth: await averageDepth(pack),
  }
  return { corpus, pack: basename(pack) }
}

/** From the histogram that git prints: `chain length = <n>: <count> objects`. */
async function averageDepth(pack: string): Promise<number> {
  let deltas = 0
  let depths = 0
  for (const line of await gitLines(['verify-pack', '--stat-only', `${pack}.idx`], { timeout: HOUR })) {
    const found = /^chain length = (\d+): (\d+) object/.exec(line)
    if (found === null) continue
    deltas += Number(found[2])
    depths += Number(found[1]) * Number(found[2])
  }
  return deltas === 0 ? 0 : depths / deltas
}
