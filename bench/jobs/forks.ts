import { createReadStream } from 'node:fs'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { git, gitLines } from '../../test/support/git.ts'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { createMemoryBudget } from '../../src/odb/memory-budget.ts'
import { forkRepository, type ForkOptions } from '../../src/repository/fork/fork-repository.ts'
import { openRepository, type Repository } from '../../src/repository/repository.ts'
import { createFsStorage } from '../../src/storage/fs/index.ts'
import { createMemoryStorage } from '../../src/storage/memory/index.ts'
import { openNodeDatabase } from '../../src/storage/sqlite/drivers/node.ts'
import { createSqliteStorage } from '../../src/storage/sqlite/index.ts'
import type { Storage } from '../../src/storage/storage.ts'
import type { CorpusJob, JobContext } from '../job.ts'
import { measure, type Contender, type Sample } from '../measure.ts'
import { baselineRow, compare, seriesOf, type Row } from '../row.ts'
import { TARGETS } from '../targets.ts'

const codecs = createNodeCodecs()
const CACHES = 256 << 20
/** How many forks are made one after the other, where that is measured and the time for a measurement lasts. */
const MANY = { memory: 10_000, sqlite: 10_000, fs: 2_000 } as const
const MANY_IN_SMOKE = 3
/** Of a larger repository than this, in objects, only single forks are made. */
const LARGE = 50_000

type Kind = keyof typeof MANY
const KINDS: readonly Kind[] = ['memory', 'sqlite', 'fs']

/** Forks of a repository: one of all refs, with a cold and a warm source, and many of its default branch. */
export const forksJob: CorpusJob = {
  kind: 'corpus',
  name: 'forks',
  describe: 'fork a repository on each storage, against git clone --shared; 10,000 forks of a baseline',
  corpora: ['source-large', 'source-small'],
  run: runForks,
}

/** A storage with the corpus in it, as a push leaves it. */
interface Source {
  readonly kind: Kind
  readonly storage: Storage
  readonly repository: Repository
  readonly directory: string
}

async function runForks(context: JobContext): Promise<Row[]> {
  const { corpus, scratch, measuring } = context
  const sources: Source[] = []
  try {
    for (const kind of KINDS) sources.push(await openSource(context, kind))
    const clone = cloneContender(corpus.repository, join(scratch, 'clone.git'))
    const single = sources.flatMap((source) => [
      forkContender(source, 'all refs, source open and in the cache', {
        refs: 'all',
        repository: source.repository,
      }),
      forkContender(source, 'all refs, source opened anew', { refs: 'all' }),
      forkContender(source, 'one branch, source open and in the cache', {
        refs: 'head',
        repository: source.repository,
      }),
    ])
    const series = await measure([clone, ...single], measuring)
    const baseline = seriesOf(series, clone)
    const rows = [
      baselineRow('fork', corpus.name, baseline),
      ...single.map((one) =>
        compare('fork', corpus.name, seriesOf(series, one), baseline, { time: TARGETS.fork }),
      ),
    ]
    if (corpus.objects > LARGE) return rows
    for (const source of sources) rows.push(await manyForks(source, context))
    return rows
  } finally {
    for (const { repository, storage } of sources) {
      await repository.close()
      await storage.close()
    }
  }
}

async function openSource({ corpus, scratch }: JobContext, kind: Kind): Promise<Source> {
  const directory = join(scratch, kind)
  await mkdir(directory)
  const storage =
    kind === 'memory'
      ? createMemoryStorage()
      : kind === 'fs'
        ? createFsStorage({ directory })
        : createSqliteStorage({ database: await openNodeDatabase({ path: join(directory, 'git.db') }) })
  const head = await git(['symbolic-ref', 'HEAD'], { cwd: corpus.repository })
  const stored = await storage.create('source', { objectFormat: 'sha1', head })
  const repository = openRepository(stored, { codecs, memoryBudget: createMemoryBudget(CACHES) })
  const lines = await gitLines(['for-each-ref', '--format=%(refname) %(objectname)'], {
    cwd: corpus.repository,
  })
  const incoming = await repository.receivePack(createReadStream(`${corpus.pack}.pack`))
  const edits = lines.map((line) => {
    const [name = '', id = ''] = line.split(' ')
    return { name, expect: { kind: 'absent' }, target: { kind: 'direct', id } } as const
  })
  await incoming.commit(edits, { atomic: false })
  await incoming.discard()
  return { kind, storage, repository, directory }
}

function cloneContender(repository: string, path: string): Contender {
  return {
    name: 'git clone --bare --shared',
    conditions: 'one process, borrows all objects: a gc of the source breaks it',
    run: async () => {
      await rm(path, { recursive: true, force: true })
      const start = performance.now()
      await git(['clone', '-q', '--bare', '--shared', repository, path])
      return { milliseconds: performance.now() - start, bytes: await ownBytes(path) }
    },
  }
}

function forkContender(
  { kind, storage, directory }: Source,
  conditions: string,
  options: Partial<ForkOptions>,
): Contender {
  return {
    name: `packstone, ${kind}`,
    conditions,
    run: async () => {
      const sample = await timeCpu(async () => {
        const fork = await forkRepository(storage, 'source', 'fork', { codecs, ...options })
        await fork.storage.close()
      })
      const bytes = kind === 'fs' ? await ownBytes(join(directory, 'fork.git')) : 0
      await storage.delete('fork')
      return { ...sample, bytes }
    },
  }
}

/** Many forks of one branch, one after the other: milliseconds and bytes for each. */
async function manyForks(source: Source, { corpus, smoke, measuring }: JobContext): Promise<Row> {
  const { kind, storage, repository, directory } = source
  const most = smoke ? MANY_IN_SMOKE : MANY[kind]
  const start = performance.now()
  let count = 0
  const before = await storedBytes(directory)
  const { milliseconds } = await timeCpu(async () => {
    for (; count < most && performance.now() - start < measuring.budget; count++) {
      const fork = await forkRepository(storage, 'source', `many/${count}`, {
        codecs,
        repository,
        refs: 'head',
      })
      await fork.storage.close()
    }
  })
  const bytes = ((await storedBytes(directory)) - before) / count
  return {
    job: 'forks, many',
    corpus: corpus.name,
    who: `packstone, ${kind}`,
    conditions: `one of ${count} forks of one branch, made in turn; time and bytes of each`,
    figures: [],
    milliseconds: milliseconds / count,
    ...(kind === 'memory' ? {} : { bytes: Math.round(bytes) }),
    rounds: count,
  }
}

async function timeCpu(work: () => Promise<void>): Promise<Sample> {
  const before = process.cpuUsage()
  const start = performance.now()
  await work()
  const milliseconds = performance.now() - start
  const { user, system } = process.cpuUsage(before)
  return { milliseconds, cpuMilliseconds: (user + system) / 1000, bytes: 0 }
}

/** Bytes on disk of what is in a repository and in no other: files with one name, and directories. */
async function ownBytes(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  let bytes = 0
  for (const entry of entries) {
    const { blocks, nlink } = await stat(join(entry.parentPath, entry.name))
    if (entry.isDirectory() || nlink === 1) bytes += 512 * blocks
  }
  return bytes
}

async function storedBytes(directory: string): Promise<number> {
  const seen = new Set<number>()
  let bytes = 0
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const { blocks, ino } = await stat(join(entry.parentPath, entry.name))
    if (!seen.has(ino)) bytes += 512 * blocks
    seen.add(ino)
  }
  return bytes
}
