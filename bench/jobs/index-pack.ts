import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packstoneCommand } from '../../test/support/servers/packstone.ts'
import type { CorpusJob, JobContext } from '../job.ts'
import { measure, type Contender } from '../measure.ts'
import { baselineRow, compare, seriesOf, type Row } from '../row.ts'
import { LARGE_PACK, PROVIDERS, TARGETS, type Provider } from '../targets.ts'
import { timeProcess } from '../timed-process.ts'

/** `index-pack` of a whole pack as one process, start-up included; git on one thread, as we are. */
export const indexPackJob: CorpusJob = {
  kind: 'corpus',
  name: 'index-pack',
  describe: 'index a pack, one process from start to end, with and without collision detection',
  run: runIndexPack,
}

async function runIndexPack({ corpus, scratch, cores, measuring }: JobContext): Promise<Row[]> {
  const pack = `${corpus.pack}.pack`
  const made: string[] = []
  const contender = (
    name: string,
    conditions: string,
    command: (out: string) => readonly string[],
    core = cores.measured,
  ): Contender => {
    const out = join(scratch, `${made.length}.idx`)
    made.push(out)
    return {
      name,
      conditions: `cold process, ${conditions}`,
      run: async () => {
        const time = await timeProcess(command(out), { core })
        return { ...time, bytes: (await readFile(out)).length }
      },
    }
  }
  const git = contender('git index-pack --threads=1', '1 thread, collision detection', (out) => [
    ...['git', 'index-pack', '--threads=1', '-o', out, pack],
  ])
  const ours = (provider: Provider, options: readonly string[]): readonly string[] => [
    ...[process.execPath, packstoneCommand(), 'index-pack', '--quiet', ...options],
    ...(provider === 'portable' ? ['--portable'] : []),
    pack,
  ]
  const plain = PROVIDERS.map((provider) => ({
    provider,
    contender: contender('packstone index-pack', `1 thread, ${provider}, no collision detection`, (out) =>
      ours(provider, ['--out', out]),
    ),
  }))
  const checked = PROVIDERS.map((provider) => ({
    provider,
    contender: contender('packstone index-pack', `1 thread, ${provider}, collision detection`, (out) =>
      ours(provider, ['--collision-detection', '--out', out]),
    ),
  }))
  const { measured, client } = cores
  const both = measured === undefined || client === undefined ? undefined : `${measured},${client}`
  const gitThreads = contender(
    'git index-pack',
    'its default threads, 2 cores, collision detection',
    (out) => ['git', 'index-pack', '-o', out, pack],
    both,
  )
  const twoThreads = contender(
    'packstone index-pack --threads 2',
    '2 cores, node, collision detection',
    (out) => ours('node', ['--threads', '2', '--collision-detection', '--out', out]),
    both,
  )
  const all = [git, ...[...plain, ...checked].map((each) => each.contender), gitThreads, twoThreads]
  const series = await measure(all, measuring)

  const expected = await readFile(made[0] ?? '')
  for (const path of made) {
    if (!(await readFile(path)).equals(expected)) throw new Error(`${path} is not the index that git made`)
  }
  const isLarge = corpus.packBytes >= LARGE_PACK
  const baseline = seriesOf(series, git)
  const row = (each: (typeof plain)[number], time: number | undefined): Row =>
    compare('index-pack', corpus.name, seriesOf(series, each.contender), baseline, {
      ...(time === undefined ? {} : { time }),
    })
  const { indexPackLarge, indexPackSmall, indexPackLargeDetecting, indexPackTwoThreads } = TARGETS
  return [
    baselineRow('index-pack', corpus.name, baseline),
    ...plain.map((each) => row(each, (isLarge ? indexPackLarge : indexPackSmall)[each.provider])),
    ...checked.map((each) => row(each, isLarge ? indexPackLargeDetecting[each.provider] : undefined)),
    baselineRow('index-pack', corpus.name, seriesOf(series, gitThreads)),
    compare(
      'index-pack',
      corpus.name,
      seriesOf(series, twoThreads),
      seriesOf(series, gitThreads),
      isLarge ? { time: indexPackTwoThreads } : {},
    ),
  ]
}
