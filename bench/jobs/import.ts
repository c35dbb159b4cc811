import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { StandaloneJob, Surroundings } from '../job.ts'
import { measure, type Contender } from '../measure.ts'
import { baselineRow, figureOf, seriesOf, type Row } from '../row.ts'
import { TARGETS } from '../targets.ts'
import { timeProcess } from '../timed-process.ts'

/** What is loaded, by the name it has in the report. */
const IMPORTS: readonly {
  readonly who: string
  readonly modules: readonly string[]
  readonly aimed: boolean
}[] = [
  { who: 'packstone', modules: ['dist/index.js'], aimed: true },
  {
    who: 'packstone, node codecs, fs, http',
    modules: ['dist/index.js', 'dist/codec/node.js', 'dist/storage/fs.js', 'dist/http.js'],
    aimed: false,
  },
  { who: 'isomorphic-git', modules: ['node_modules/isomorphic-git/index.js'], aimed: false },
  { who: 'just-git/server', modules: ['node_modules/just-git/dist/server/index.js'], aimed: false },
]

/** What loading the engine adds to a process of Node that does nothing. */
export const importJob: StandaloneJob = {
  kind: 'standalone',
  name: 'import',
  describe: 'what importing the engine adds to an empty process',
  run: runImport,
}

async function runImport({ scratch, cores, measuring }: Surroundings): Promise<Row[]> {
  const program = async (who: string, modules: readonly string[]): Promise<Contender> => {
    const path = join(scratch, `${who.replaceAll(/[^a-z]/g, '-')}.mjs`)
    const urls = modules.map((module) => pathToFileURL(resolve(module)).href)
    await writeFile(path, urls.map((url) => `import ${JSON.stringify(url)}\n`).join(''))
    return {
      name: who,
      conditions: 'cold process',
      run: async () => ({
        ...(await timeProcess([process.execPath, path], { core: cores.measured })),
        bytes: 0,
      }),
    }
  }
  const empty = await program('an empty program', [])
  const loaded: Contender[] = []
  for (const { who, modules } of IMPORTS) loaded.push(await program(who, modules))
  const series = await measure([empty, ...loaded], { ...measuring, rounds: 2 * measuring.rounds + 1 })
  const baseline = seriesOf(series, empty)
  return [
    baselineRow('import', '', baseline),
    ...loaded.map((contender, at): Row => {
      const { samples } = seriesOf(series, contender)
      const added = samples.map(
        (sample, round) => sample.milliseconds - (baseline.samples[round]?.milliseconds ?? Number.NaN),
      )
      const target = IMPORTS[at]?.aimed === true ? TARGETS.importMilliseconds : undefined
      const row = baselineRow('import', '', seriesOf(series, contender))
      return { ...row, against: empty.name, figures: [figureOf('import', added, target)] }
    }),
  ]
}
