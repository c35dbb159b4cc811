import type { Contender } from '../measure.ts'
import { measure } from '../measure.ts'
import { InsideProcess } from '../inside-process.ts'
import type { CorpusJob, JobContext } from '../job.ts'
import { baselineRow, compare, seriesOf, type Row } from '../row.ts'
import { LARGE_PACK, PROVIDERS, TARGETS } from '../targets.ts'
import { timeProcess } from '../timed-process.ts'
import { join } from 'node:path'

/** Rounds that are not counted, for the compiler to have seen everything. */
const WARM_UPS = 3

/** Indexing in a process that has indexed before, as a server does; git has no such form, its process is the baseline. */
export const indexPackWarmJob: CorpusJob = {
  kind: 'corpus',
  name: 'index-pack-warm',
  describe: 'index a pack in a process that has done it before',
  corpora: ['source-small', 'data-like', 'tiny-files'],
  run: runIndexPackWarm,
}

async function runIndexPackWarm({ corpus, scratch, cores, measuring, smoke }: JobContext): Promise<Row[]> {
  const pack = `${corpus.pack}.pack`
  const git: Contender = {
    name: 'git index-pack --threads=1',
    conditions: 'cold process, 1 thread, collision detection',
    run: async () => {
      const command = ['git', 'index-pack', '--threads=1', '-o', join(scratch, 'git.idx'), pack]
      return { ...(await timeProcess(command, { core: cores.measured })), bytes: 0 }
    },
  }
  const variants = PROVIDERS.flatMap((provider) =>
    [false, true].map((collisionDetection) => ({ provider, collisionDetection })),
  )
  const insides: InsideProcess[] = []
  try {
    const ours: Contender[] = []
    for (const { provider, collisionDetection } of variants) {
      const args = { pack, provider, collisionDetection: String(collisionDetection) }
      const inside = await InsideProcess.start('index-pack', args, cores)
      insides.push(inside)
      for (let round = smoke ? WARM_UPS : 0; round < WARM_UPS; round++) await inside.run()
      ours.push({
        name: 'packstone indexPack',
        conditions: `warm, in process, ${provider}, ${collisionDetection ? '' : 'no '}collision detection`,
        run: async () => ({ ...(await inside.run()), bytes: 0 }),
      })
    }
    const series = await measure([git, ...ours], measuring)
    const baseline = seriesOf(series, git)
    const isAimed = corpus.packBytes < LARGE_PACK
    return [
      baselineRow('index-pack-warm', corpus.name, baseline),
      ...ours.map((contender, at) => {
        const { provider = 'node', collisionDetection = true } = variants[at] ?? {}
        const targets = isAimed && !collisionDetection ? { time: TARGETS.indexPackWarm[provider] } : {}
        return compare('index-pack-warm', corpus.name, seriesOf(series, contender), baseline, targets)
      }),
    ]
  } finally {
    for (const inside of insides) inside.close()
  }
}
