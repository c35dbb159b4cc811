import { join } from 'node:path'
import { stat } from 'node:fs/promises'
import { InsideProcess } from '../inside-process.ts'
import type { CorpusJob, JobContext } from '../job.ts'
import { measure, type Contender } from '../measure.ts'
import { baselineRow, compare, seriesOf, type Row } from '../row.ts'
import { PROVIDERS } from '../targets.ts'
import { timeProcess } from '../timed-process.ts'
import { gitPackCommand } from './pack.ts'

/** Rounds that are not counted, for the compiler to have seen everything. */
const WARM_UPS = 3

/** A fresh pack of everything by a process that has made one before, as a server that maintains repositories does; nothing is cached. */
export const packWarmJob: CorpusJob = {
  kind: 'corpus',
  name: 'pack-warm',
  describe: 'the same in a process that has done it before',
  corpora: ['source-small', 'tiny-files'],
  run: runPackWarm,
}

async function runPackWarm({ corpus, scratch, cores, measuring, smoke }: JobContext): Promise<Row[]> {
  const { repository } = corpus
  const output = join(scratch, 'git.pack')
  const git: Contender = {
    name: 'git pack-objects --threads=1',
    conditions: 'cold process, 1 thread',
    run: async () => {
      const time = await timeProcess(gitPackCommand(repository, 1), { core: cores.measured, output })
      return { ...time, bytes: (await stat(output)).size }
    },
  }
  const insides: InsideProcess[] = []
  try {
    const ours: Contender[] = []
    for (const provider of PROVIDERS) {
      const inside = await InsideProcess.start('repack', { repository, provider }, cores)
      insides.push(inside)
      for (let round = smoke ? WARM_UPS : 0; round < WARM_UPS; round++) await inside.run()
      ours.push({
        name: 'packstone planRepack',
        conditions: `warm, in process, ${provider}, repository opened anew`,
        run: () => inside.run(),
      })
    }
    const series = await measure([git, ...ours], measuring)
    const baseline = seriesOf(series, git)
    return [
      baselineRow('pack-warm', corpus.name, baseline),
      ...ours.map((each) => compare('pack-warm', corpus.name, seriesOf(series, each), baseline)),
    ]
  } finally {
    for (const inside of insides) inside.close()
  }
}
