import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packstoneCommand } from '../../test/support/servers/packstone.ts'
import { InsideProcess } from '../inside-process.ts'
import type { CorpusJob, JobContext } from '../job.ts'
import { measure, type Contender } from '../measure.ts'
import { pickIds } from '../pick-ids.ts'
import { baselineRow, compare, seriesOf, type Row } from '../row.ts'
import { DEEP_CHAIN, PROVIDERS, TARGETS, type Provider } from '../targets.ts'
import { timeProcess } from '../timed-process.ts'

const OBJECTS = 20_000
const CACHE_MEGABYTES = 96

/** Objects by id, as fast as they come: at random, and in the order of history. */
export const readJob: CorpusJob = {
  kind: 'corpus',
  name: 'read',
  describe: 'read 20 000 objects by id, at random and in the order of history',
  corpora: ['source-large', 'data-like', 'deep-chains', 'tiny-files'],
  run: async (context) => [...(await readIn(context, 'random')), ...(await readIn(context, 'history'))],
}

async function readIn(context: JobContext, order: 'random' | 'history'): Promise<Row[]> {
  const { corpus, scratch, cores, measuring } = context
  const { repository } = corpus
  const ids = join(scratch, `${order}.ids`)
  const output = join(scratch, `${order}.out`)
  await writeFile(ids, (await pickIds(repository, order, OBJECTS)).map((id) => `${id}\n`).join(''))

  const git: Contender = {
    name: 'git cat-file --batch --buffer',
    conditions: 'cold process, cache 96 MiB',
    run: async () => {
      const config = ['-c', 'core.deltaBaseCacheLimit=96m']
      const command = ['git', '-C', repository, ...config, 'cat-file', '--batch', '--buffer']
      return { ...(await timeProcess(command, { core: cores.measured, input: ids, output })), bytes: 0 }
    },
  }
  const whole: Contender = {
    name: 'packstone cat-file --batch',
    conditions: 'cold process, node, cache 96 MiB',
    run: async () => {
      const command = [process.execPath, packstoneCommand(), 'cat-file', repository, '--batch']
      return { ...(await timeProcess(command, { core: cores.measured, input: ids, output })), bytes: 0 }
    },
  }
  const insides: InsideProcess[] = []
  try {
    const warm: { provider: Provider; contender: Contender }[] = []
    for (const provider of PROVIDERS) {
      const args = { repository, ids, provider, cacheMegabytes: String(CACHE_MEGABYTES) }
      const inside = await InsideProcess.start('read', args, cores)
      insides.push(inside)
      const contender = {
        name: 'packstone readObject',
        conditions: `warm, in process, ${provider}, cache 96 MiB, empty at first`,
        run: async () => ({ ...(await inside.run()), bytes: 0 }),
      }
      warm.push({ provider, contender })
    }
    const series = await measure([git, whole, ...warm.map((each) => each.contender)], measuring)
    await stat(output)
    const baseline = seriesOf(series, git)
    const aims = order === 'random' && corpus.averageDepth >= DEEP_CHAIN ? TARGETS.readDeep : TARGETS.read
    const job = order === 'random' ? 'read at random' : 'read in order'
    return [
      baselineRow(job, corpus.name, baseline),
      ...warm.map(({ provider, contender }) =>
        compare(job, corpus.name, seriesOf(series, contender), baseline, { time: aims[provider] }),
      ),
      compare(job, corpus.name, seriesOf(series, whole), baseline, { time: aims.node }),
    ]
  } finally {
    for (const inside of insides) inside.close()
  }
}
