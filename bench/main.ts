import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { git } from '../test/support/git.ts'
import { benchClone } from './clone.ts'
import { copyCorpus, generateCorpus, type Corpus } from './corpus.ts'
import { benchIndexPack } from './index-pack.ts'
import type { Measurement } from './measure.ts'
import { benchRepack } from './repack.ts'
import { describeEnvironment, formatReport } from './report.ts'

const USAGE = `Usage: npm run bench -- [options] [index-pack|clone|repack ...]

Measures packstone against git, in rotation, in one run. Build first (npm run bench does).

  --repo <dir>   measure on a copy of this repository instead of generated ones (may be given several times)
  --rounds <n>   rounds per measurement (default 7)
  --smoke        a few seconds, to see that it works
  --json         print JSON
`

type Bench = (corpus: Corpus, folder: string, rounds: number) => Promise<Measurement[]>

const BENCHES: Readonly<Record<string, Bench>> = {
  'index-pack': benchIndexPack,
  clone: benchClone,
  repack: benchRepack,
}

/** The benchmark command. Resolves with its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      repo: { type: 'string', multiple: true },
      rounds: { type: 'string' },
      smoke: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const rounds = Number(values.rounds ?? (values.smoke ? 1 : 7))
  const unknown = positionals.find((name) => BENCHES[name] === undefined)
  if (values.help || unknown !== undefined || !Number.isInteger(rounds) || rounds < 1) {
    process.stdout.write(USAGE)
    return values.help ? 0 : 2
  }
  const folder = await mkdtemp(join(tmpdir(), 'packstone-bench-'))
  try {
    const served = join(folder, 'served')
    await mkdir(served)
    const corpora = await prepareCorpora(values.repo, values.smoke, served)
    const measurements: Measurement[] = []
    for (const name of positionals.length > 0 ? positionals : Object.keys(BENCHES)) {
      for (const corpus of corpora)
        measurements.push(...((await BENCHES[name]?.(corpus, folder, rounds)) ?? []))
    }
    const environment = describeEnvironment(await git(['--version']), values.smoke)
    const report = values.json
      ? `${JSON.stringify({ environment, corpora, measurements }, null, 2)}\n`
      : formatReport(environment, corpora, measurements)
    process.stdout.write(report)
    return 0
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function prepareCorpora(
  repositories: readonly string[] | undefined,
  smoke: boolean,
  folder: string,
): Promise<Corpus[]> {
  const corpora: Corpus[] = []
  if (repositories !== undefined) {
    for (const repository of repositories) corpora.push(await copyCorpus(repository, folder))
    return corpora
  }
  corpora.push(await generateCorpus('source-like', smoke ? 0.3 : 12, folder))
  if (!smoke) corpora.push(await generateCorpus('data-like', 8, folder))
  return corpora
}
