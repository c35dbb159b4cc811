import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { createMemoryBudget } from '../../src/odb/memory-budget.ts'
import { forkRepository } from '../../src/repository/fork/fork-repository.ts'
import { planPack, type PackRequest } from '../../src/repository/outgoing-pack.ts'
import { openFile } from '../../src/repository/read/open-file.ts'
import { openRepository, type Repository } from '../../src/repository/repository.ts'
import type { RepositoryStorage } from '../../src/storage/repository-storage.ts'
import { git, gitBytes, gitLines } from '../../test/support/git.ts'
import type { CorpusJob, JobContext } from '../job.ts'
import { measure, timed, type Contender } from '../measure.ts'
import { baselineRow, compare, figureOf, seriesOf, type Figure, type Row } from '../row.ts'
import { createStoragePlaces, type StoragePlace, type Traffic } from '../storage-places.ts'
import { TARGETS } from '../targets.ts'

const codecs = createNodeCodecs()
const CACHES = 96 << 20
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
  /** Does it the n-th time on a place. Resolves with the traffic that it took. */
  readonly run: (place: StoragePlace, time: number) => Promise<Traffic>
}

async function runStorage(context: JobContext): Promise<Row[]> {
  const { corpus, scratch, measuring, smoke } = context
  const places = await createStoragePlaces(scratch)
  const warm = new Map<StoragePlace, Opened>()
  try {
    const pushes = await prepareSmallPushes(context, measuring.rounds + 2)
    const path = await someFile(corpus.repository)
    for (const place of places) {
      const opened = await openNew(place, KEY)
      await pushAll(opened.repository, context)
      warm.set(place, opened)
    }
    const rows: Row[] = []
    for (const operation of operations(context, warm, pushes, path)) {
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
    for (const { repository } of warm.values()) await repository.close()
    for (const place of places) await place.close()
  }
}

async function measureOperation(
  { name, conditions, target, run }: Operation,
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
      run: () =>
        timed(async () => {
          const traffic = await run(place, time++)
          noted.push(traffic.calls)
          return traffic.bytes
        }),
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

function operations(
  context: JobContext,
  warm: ReadonlyMap<StoragePlace, Opened>,
  pushes: readonly SmallPush[],
  path: string,
): readonly Operation[] {
  const { corpus } = context
  const pushed = new Map<StoragePlace, SmallPush>()
  const cold = async (place: StoragePlace, work: (opened: Opened) => Promise<void>): Promise<Traffic> => {
    const opened = await openCold(place)
    await work(opened)
    await opened.repository.close()
    return opened.traffic
  }
  const read = async ({ repository, storage }: Opened): Promise<void> => {
    const [view, commit = ''] = await Promise.all([
      repository.openView({ objectsOnly: true }),
      repository.resolveRef('HEAD'),
    ])
    const file = await openFile(storage, view, commit, path)
    if (file === undefined) throw new Error(`there is no ${path}`)
    for await (const piece of file.read()) if (piece.length === 0) throw new Error('an empty piece')
    await view.close()
  }
  return [
    {
      name: 'storage: push of everything',
      conditions: 'a new repository',
      run: async (place, time) => {
        const opened = await openNew(place, `new-${time}`)
        await pushAll(opened.repository, context)
        await opened.repository.close()
        return opened.traffic
      },
    },
    {
      name: 'storage: clone',
      conditions: 'a process that knows nothing',
      target: Math.ceil(corpus.packBytes / PIECE) + TARGETS.cloneRequests,
      run: (place) =>
        cold(place, async ({ repository }) => {
          const refs = await repository.storage.listRefs('refs/')
          const wants = refs.flatMap(({ target }) => (target.kind === 'direct' ? [target.id] : []))
          await sendPack(repository, { wants: [...new Set(wants)] })
        }),
    },
    {
      name: 'storage: read of one file by its path',
      conditions: 'a process that knows nothing',
      target: TARGETS.readRequests,
      run: (place) => cold(place, read),
    },
    {
      name: 'storage: read of one file by its path',
      conditions: 'a process that has done it before',
      run: async (place) => {
        const opened = warm.get(place) ?? (await openCold(place))
        await read(opened)
        const before = { calls: opened.traffic.calls, bytes: opened.traffic.bytes }
        await read(opened)
        return { calls: opened.traffic.calls - before.calls, bytes: opened.traffic.bytes - before.bytes }
      },
    },
    {
      name: 'storage: fork',
      conditions: 'a process that knows nothing',
      run: async (place, time) => {
        const { storage, traffic } = await place.open()
        const fork = await forkRepository(storage, KEY, `fork-${time}`, { codecs })
        await fork.storage.close()
        return traffic
      },
    },
    {
      name: 'storage: push of one commit',
      conditions: 'a process that runs already',
      run: async (place, time) => {
        const { repository, traffic } = warm.get(place) ?? (await openCold(place))
        const push = pushes[time]
        if (push === undefined) throw new Error('there are not enough pushes')
        const before = { calls: traffic.calls, bytes: traffic.bytes }
        await receive(repository, oneByOne(push.pack), [['refs/heads/bench', push.after]])
        pushed.set(place, push)
        return { calls: traffic.calls - before.calls, bytes: traffic.bytes - before.bytes }
      },
    },
    {
      name: 'storage: fetch of one commit',
      conditions: 'a process that knows nothing',
      run: (place) =>
        cold(place, ({ repository }) => {
          const { before = '', after = '' } = pushed.get(place) ?? {}
          return sendPack(repository, { wants: [after], haves: [before], thin: true })
        }),
    },
  ]
}

interface Opened {
  readonly repository: Repository
  readonly storage: RepositoryStorage
  readonly traffic: Traffic
}

async function openCold(place: StoragePlace): Promise<Opened> {
  const { storage, traffic } = await place.open()
  const stored = await storage.open(KEY)
  if (stored === undefined) throw new Error(`${place.name} has lost its repository`)
  return open(stored, traffic)
}

async function openNew(place: StoragePlace, key: string): Promise<Opened> {
  const { storage, traffic } = await place.open()
  return open(await storage.create(key, { objectFormat: 'sha1', head: 'refs/heads/main' }), traffic)
}

function open(storage: RepositoryStorage, traffic: Traffic): Opened {
  const repository = openRepository(storage, { codecs, memoryBudget: createMemoryBudget(CACHES) })
  return { repository, storage, traffic }
}

/** Receives the pack of the corpus, and with it all of its refs; HEAD's branch is `main` here. */
async function pushAll(repository: Repository, { corpus }: JobContext): Promise<void> {
  const lines = await gitLines(['for-each-ref', '--format=%(refname) %(objectname)'], {
    cwd: corpus.repository,
  })
  const refs = lines.map((line): [string, string] => [line.split(' ')[0] ?? '', line.split(' ')[1] ?? ''])
  const head = await git(['rev-parse', 'HEAD'], { cwd: corpus.repository })
  const others = refs.filter(([name]) => name !== 'refs/heads/main')
  await receive(repository, createReadStream(`${corpus.pack}.pack`, { highWaterMark: 1 << 20 }), [
    ...others,
    ['refs/heads/main', head],
  ])
}

async function receive(
  repository: Repository,
  source: AsyncIterable<Uint8Array>,
  refs: readonly (readonly [name: string, id: string])[],
): Promise<void> {
  const incoming = await repository.receivePack(source)
  const missing = await incoming.findMissing(refs.map(([, id]) => id))
  if (missing !== undefined) throw new Error('the push is not connected')
  const edits = refs.map(([name, id]) => {
    return { name, expect: { kind: 'any' }, target: { kind: 'direct', id } } as const
  })
  const outcomes = await incoming.commit(edits, { atomic: true })
  if (outcomes.some(({ kind }) => kind !== 'applied')) throw new Error('the push was refused')
}

async function sendPack(repository: Repository, request: Partial<PackRequest>): Promise<void> {
  const view = await repository.openView()
  const none = { wants: [], haves: [], clientShallow: [], shallow: [], unshallow: [], includeTags: [] }
  const plan = await planPack(view, { ...none, thin: false, ofsDelta: true, ...request })
  for await (const piece of plan.write()) if (piece.length === 0) throw new Error('an empty piece')
  await view.close()
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

async function* oneByOne(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(new Uint8Array(bytes))
}
