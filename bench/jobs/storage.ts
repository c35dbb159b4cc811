import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { git, gitBytes, gitLines } from '../../test/support/git.ts'
import type { CorpusJob, JobContext } from '../job.ts'
import { measure, timed, type Contender } from '../measure.ts'
import { baselineRow, compare, figureOf, seriesOf, type Figure, type Row } from '../row.ts'
import { createStoragePlaces, type StoragePlace } from '../storage-places.ts'
import type { Traffic } from '../storage-work.ts'
import { TARGETS } from '../targets.ts'

const KEY = 'base'
const PIECE = 8 << 20

/** What servers do with a repository, on every kind of storage, and how often they go to the store for it. */
export const storageJob: CorpusJob = {
  kind: 'corpus',
  name: 'storage',
  describe:
    'push, clone, fetch, read and fork on every storage, against bare repositories on disk; calls to the store',
  corpora: ['source-small'],
  run: runStorage,
}

/** A push of one commit. */
interface SmallPush {
  readonly before: string
  readonly after: string
  readonly pack: Buffer
}

/** One thing that is measured. */
interface Operation {
  readonly name: string
  readonly conditions: string
  /** At most so many requests to a bucket. */
  readonly target?: number
  /** What has to have happened before, and is not measured. */
  readonly prepare?: (place: StoragePlace) => Promise<void>
  /** Does it the n-th time on a place. Resolves with the traffic that it took. */
  readonly run: (place: StoragePlace, time: number) => Promise<Traffic>
}

async function runStorage(context: JobContext): Promise<Row[]> {
  const { corpus, scratch, measuring, smoke } = context
  const places = await createStoragePlaces(scratch)
  try {
    const inputs = await prepareInputs(context)
    for (const place of places) {
      await place.run({ ...inputs.everything, key: KEY, isWarm: true }, inputs.pack)
    }
    const rows: Row[] = []
    for (const operation of operations(context, inputs)) {
      rows.push(
        ...(await measureOperation(
          operation,
          places,
          corpus.name,
          smoke ? { ...measuring, warmUp: false } : measuring,
        )),
      )
    }
    return rows
  } finally {
    for (const place of places) await place.close()
  }
}

async function measureOperation(
  { name, conditions, target, prepare, run }: Operation,
  places: readonly StoragePlace[],
  corpus: string,
  measuring: JobContext['measuring'],
): Promise<Row[]> {
  const calls = new Map<Contender, number[]>()
  const contenders = places.map((place): Contender => {
    let time = 0
    const noted: number[] = []
    const contender: Contender = {
      name: place.name,
      conditions,
      run: async () => {
        await prepare?.(place)
        return timed(async () => {
          const traffic = await run(place, time++)
          noted.push(traffic.calls)
          return traffic.bytes
        })
      },
    }
    calls.set(contender, noted)
    return contender
  })
  const series = await measure(contenders, measuring)
  const [first] = contenders
  if (first === undefined) return []
  const baseline = seriesOf(series, first)
  return contenders.map((contender, at) => {
    const own = seriesOf(series, contender)
    const counts = places[at]?.counts ?? 'calls'
    const noted = calls.get(contender) ?? []
    const figure: Figure = figureOf(
      'requests',
      noted.slice(-own.samples.length),
      counts === 'requests' ? target : undefined,
    )
    const said = `${conditions}, ${figure.value} ${figure.value === 1 ? counts.slice(0, -1) : counts}`
    if (contender === first) return { ...baselineRow(name, corpus, own), conditions: said }
    const row = compare(name, corpus, own, baseline)
    return { ...row, conditions: said, figures: [...row.figures, figure] }
  })
}

/** What is pushed and read. */
interface Inputs {
  /** The push of the whole corpus: all of its refs; HEAD's branch is `main`. */
  readonly everything: {
    readonly kind: 'push'
    readonly refs: readonly [string, string][]
    readonly isNew: true
  }
  readonly pack: Uint8Array
  readonly pushes: readonly SmallPush[]
  readonly path: string
}

async function prepareInputs(context: JobContext): Promise<Inputs> {
  const { corpus, measuring } = context
  const lines = await gitLines(['for-each-ref', '--format=%(refname) %(objectname)'], {
    cwd: corpus.repository,
  })
  const head = await git(['rev-parse', 'HEAD'], { cwd: corpus.repository })
  const refs = lines.map((line): [string, string] => [line.split(' ')[0] ?? '', line.split(' ')[1] ?? ''])
  const others = refs.filter(([name]) => name !== 'refs/heads/main')
  return {
    everything: { kind: 'push', refs: [...others, ['refs/heads/main', head]], isNew: true },
    pack: await readFile(`${corpus.pack}.pack`),
    pushes: await prepareSmallPushes(context, measuring.rounds + 2),
    path: await someFile(corpus.repository),
  }
}

function operations(
  { corpus }: JobContext,
  { everything, pack, pushes, path }: Inputs,
): readonly Operation[] {
  const pushed = new Map<StoragePlace, SmallPush>()
  return [
    {
      name: 'storage: push of everything',
      conditions: 'a new repository',
      run: (place, time) => place.run({ ...everything, key: `new-${time}`, isWarm: false }, pack),
    },
    {
      name: 'storage: clone',
      conditions: 'a process that knows nothing',
      target: Math.ceil(corpus.packBytes / PIECE) + TARGETS.cloneRequests,
      run: (place) => place.run({ kind: 'clone', key: KEY }),
    },
    {
      name: 'storage: read of one file by its path',
      conditions: 'a process that knows nothing',
      target: TARGETS.readRequests,
      run: (place) => place.run({ kind: 'read', key: KEY, path, isWarm: false }),
    },
    {
      name: 'storage: read of one file by its path',
      conditions: 'a process that has done it before',
      prepare: async (place) => {
        await place.run({ kind: 'read', key: KEY, path, isWarm: true })
      },
      run: (place) => place.run({ kind: 'read', key: KEY, path, isWarm: true }),
    },
    {
      name: 'storage: fork',
      conditions: 'a process that knows nothing',
      run: (place, time) => place.run({ kind: 'fork', key: KEY, to: `fork-${time}` }),
    },
    {
      name: 'storage: push of one commit',
      conditions: 'a process that runs already',
      run: (place, time) => {
        const push = pushes[time]
        if (push === undefined) throw new Error('there are not enough pushes')
        pushed.set(place, push)
        const refs = [['refs/heads/bench', push.after]] as const
        return place.run({ kind: 'push', key: KEY, refs, isNew: false, isWarm: true }, push.pack)
      },
    },
    {
      name: 'storage: fetch of one commit',
      conditions: 'a process that knows nothing',
      run: (place) => {
        const { before = '', after = '' } = pushed.get(place) ?? {}
        return place.run({ kind: 'fetch', key: KEY, wants: after, haves: before })
      },
    },
  ]
}

/** Commits on top of one another, each of one new file, as thin packs. */
async function prepareSmallPushes({ corpus, scratch }: JobContext, count: number): Promise<SmallPush[]> {
  const work = join(scratch, 'commits.git')
  await git(['clone', '--quiet', '--bare', '--shared', corpus.repository, work])
  const run = (args: readonly string[], input?: string): Promise<string> =>
    git(args, {
      cwd: work,
      env: { GIT_INDEX_FILE: join(scratch, 'commits.index') },
      ...(input === undefined ? {} : { input }),
    })
  let before = await run(['rev-parse', 'HEAD'])
  await run(['read-tree', before])
  const pushes: SmallPush[] = []
  for (let at = 0; at < count; at++) {
    const blob = await run(['hash-object', '-w', '--stdin'], `content ${at}\n`)
    await run(['update-index', '--add', '--cacheinfo', `100644,${blob},bench/new/file-${at}`])
    const after = await run(['commit-tree', '-p', before, '-m', `Add ${at}`, await run(['write-tree'])])
    const pack = await gitBytes(
      ['pack-objects', '--revs', '--thin', '--stdout', '--delta-base-offset', '-q'],
      {
        cwd: work,
        input: `${after}\n^${before}\n`,
      },
    )
    pushes.push({ before, after, pack })
    before = after
  }
  await rm(work, { recursive: true, force: true })
  return pushes
}

/** The path in the middle of the list of files of HEAD. */
async function someFile(repository: string): Promise<string> {
  const paths = await gitLines(['ls-tree', '-r', '--name-only', 'HEAD'], { cwd: repository })
  return paths[paths.length >> 1] ?? ''
}
