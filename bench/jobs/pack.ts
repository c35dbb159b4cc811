import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { git as runGit } from '../../test/support/git.ts'
import { packstoneCommand } from '../../test/support/servers/packstone.ts'
import type { CorpusJob, JobContext } from '../job.ts'
import { measure, type Contender } from '../measure.ts'
import { baselineRow, compare, seriesOf, type Row } from '../row.ts'
import { PROVIDERS, TARGETS } from '../targets.ts'
import { timeProcess } from '../timed-process.ts'

const SEARCH = ['--window=10', '--depth=50', '--no-reuse-object']

/**
 * A fresh pack of everything, with deltas searched anew, window 10 and depth 50, as one process from start to end that writes to
 * standard output: on one thread, and on two cores with two threads of ours and as many of git as it likes. Every pack is verified by
 * git once the measuring is over.
 */
export const packJob: CorpusJob = {
  kind: 'corpus',
  name: 'pack',
  describe: 'pack everything anew with window 10 and depth 50, one process from start to end: time and bytes',
  corpora: ['source-small', 'data-like', 'large-blobs', 'tiny-files'],
  run: runPack,
}

/** A fresh pack by git, to standard output: ofs-deltas as we write them, and no stored pack sent as it is. No threads: as many as it likes. */
export function gitPackCommand(repository: string, threads: 0 | 1): readonly string[] {
  return [
    ...['git', '-C', repository, 'pack-objects', '--all', '--stdout', '-q', `--threads=${threads}`],
    ...['--delta-base-offset', '--no-use-bitmap-index', '--no-reuse-delta', ...SEARCH],
  ]
}

async function runPack({ corpus, scratch, cores, measuring }: JobContext): Promise<Row[]> {
  const { repository } = corpus
  const outputs: string[] = []
  const contender = (
    name: string,
    conditions: string,
    command: readonly string[],
    core = cores.measured,
  ): Contender => {
    const output = join(scratch, `${outputs.length}.pack`)
    outputs.push(output)
    return {
      name,
      conditions: `cold process, ${conditions}`,
      run: async () => {
        const time = await timeProcess(command, { core, output })
        return { ...time, bytes: (await stat(output)).size }
      },
    }
  }
  const ourPack = (...options: string[]): readonly string[] => [
    ...[process.execPath, packstoneCommand(), 'pack', repository, '--all', '--stdout', '--quiet'],
    ...SEARCH,
    ...options,
  ]
  const git = contender('git pack-objects --threads=1', '1 thread', gitPackCommand(repository, 1))
  const ours = PROVIDERS.map((provider) =>
    contender(
      'packstone pack',
      `1 thread, ${provider}`,
      ourPack(...(provider === 'portable' ? ['--portable'] : [])),
    ),
  )
  const { measured, client } = cores
  const both = measured === undefined || client === undefined ? undefined : `${measured},${client}`
  const gitThreads = contender(
    'git pack-objects',
    'as many threads as cores, 2 cores',
    gitPackCommand(repository, 0),
    both,
  )
  const twoThreads = contender('packstone pack --threads 2', '2 cores, node', ourPack('--threads', '2'), both)
  const series = await measure([git, ...ours, gitThreads, twoThreads], measuring)
  for (const output of outputs.slice(1))
    await runGit(['index-pack', output], { cwd: repository, timeout: 3_600_000 })
  for (const output of outputs) await rm(output)
  const baseline = seriesOf(series, git)
  return [
    baselineRow('pack', corpus.name, baseline),
    ...ours.map((each, at) => {
      const targets = { time: TARGETS.pack[PROVIDERS[at] ?? 'node'], bytes: TARGETS.packBytes }
      return compare('pack', corpus.name, seriesOf(series, each), baseline, targets)
    }),
    baselineRow('pack', corpus.name, seriesOf(series, gitThreads)),
    compare('pack', corpus.name, seriesOf(series, twoThreads), seriesOf(series, gitThreads), {
      bytes: TARGETS.packBytes,
    }),
  ]
}
