import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { packstoneCommand } from '../../test/support/servers/packstone.ts'
import type { CorpusJob, JobContext } from '../job.ts'
import { programPath } from '../program-path.ts'
import { figureOf, type Row } from '../row.ts'
import { PROVIDERS, TARGETS } from '../targets.ts'
import { timeProcess } from '../timed-process.ts'

const MEGABYTE = 1_000_000

/** The most memory that `packstone index-pack` ever has resident (VmHWM), against the size of the pack. */
export const memoryJob: CorpusJob = {
  kind: 'corpus',
  name: 'memory',
  describe: 'peak resident memory of index-pack, against the size of the pack',
  run: runMemory,
}

async function runMemory({ corpus, scratch, cores, measuring }: JobContext): Promise<Row[]> {
  const report = join(scratch, 'memory')
  const target = TARGETS.residentMegabytes + (TARGETS.residentPacks * corpus.packBytes) / MEGABYTE
  const rounds = Math.min(3, measuring.rounds)
  const measurePeak = async (args: readonly string[]): Promise<number> => {
    const node = [process.execPath, '--import', pathToFileURL(programPath('report-memory')).href]
    await timeProcess([...node, ...args], { core: cores.measured, env: { BENCH_MEMORY_REPORT: report } })
    return Number(await readFile(report, 'utf8')) / MEGABYTE
  }
  const repeat = async (args: readonly string[]): Promise<number[]> => {
    const peaks: number[] = []
    for (let round = 0; round < rounds; round++) peaks.push(await measurePeak(args))
    return peaks
  }
  const common = { job: 'peak memory', corpus: corpus.name, rounds }
  const rows: Row[] = [
    {
      ...common,
      who: 'node',
      conditions: 'an empty process, for comparison',
      figures: [figureOf('memory', await repeat(['--eval', '0']))],
    },
  ]
  for (const provider of PROVIDERS) {
    const codecs = provider === 'portable' ? ['--portable'] : []
    const out = join(scratch, 'memory.idx')
    const command = [packstoneCommand(), 'index-pack', '--quiet', ...codecs, '--out', out]
    const peaks = await repeat([...command, `${corpus.pack}.pack`])
    rows.push({
      ...common,
      who: 'packstone index-pack',
      conditions: `${provider}, pack resident (${(corpus.packBytes / MEGABYTE).toFixed(1)} MB)`,
      figures: [figureOf('memory', peaks, target)],
    })
  }
  return rows
}
