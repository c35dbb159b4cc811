import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { git } from '../test/support/git.ts'
import { findCores, pinThisProcess, type Cores } from './cores.ts'
import { copyCorpus, GENERATED, generateCorpus, SMOKE, type Corpus } from './corpus.ts'
import type { Surroundings } from './job.ts'
import { parseOptions, usage, type BenchOptions } from './options.ts'
import { describeEnvironment, formatHeader, formatRows, formatSummary } from './report.ts'
import type { Row } from './row.ts'

/** The benchmark command. Resolves with its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args)
  if (options === undefined) {
    process.stdout.write(usage())
    return args.includes('--help') ? 0 : 2
  }
  const folder = await mkdtemp(join(tmpdir(), 'packstone-bench-'))
  // Whatever programs leave behind that are stopped is removed with the folder.
  process.env['TMPDIR'] = folder
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      rmSync(folder, { recursive: true, force: true })
      process.exit(1)
    })
  }
  try {
    const root = options.keep === undefined ? join(folder, 'corpora') : resolve(options.keep)
    await mkdir(root, { recursive: true })
    const corpora = await prepareCorpora(options, root)
    const cores = findCores()
    pinThisProcess(cores)
    const environment = describeEnvironment(
      await git(['--version']),
      [await versionOf('isomorphic-git'), await versionOf('just-git')],
      cores,
      options.smoke,
    )
    const print = (text: string): void => {
      if (!options.json) process.stdout.write(text)
    }
    print(formatHeader(environment, corpora))
    const rows = await runJobs(options, corpora, cores, folder, (done) => {
      print(formatRows(done, environment))
    })
    if (options.json) process.stdout.write(`${JSON.stringify({ environment, corpora, rows }, null, 2)}\n`)
    else if (!options.smoke) print(formatSummary(rows))
    return 0
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function prepareCorpora(options: BenchOptions, root: string): Promise<Corpus[]> {
  const corpora: Corpus[] = []
  for (const repository of options.repositories) {
    note(`copying ${repository}`)
    corpora.push(await copyCorpus(repository, root))
  }
  if (corpora.length > 0) return corpora
  const used = (name: string): boolean =>
    options.jobs.some(
      (job) => job.kind === 'corpus' && (options.smoke || (job.corpora?.includes(name) ?? true)),
    )
  for (const shape of options.smoke ? SMOKE : GENERATED) {
    if (options.corpora.length > 0 && !options.corpora.includes(shape.name)) continue
    if (!used(shape.name)) continue
    note(`generating ${shape.name}`)
    corpora.push(await generateCorpus(shape, root))
  }
  return corpora
}

async function runJobs(
  options: BenchOptions,
  corpora: readonly Corpus[],
  cores: Cores,
  folder: string,
  onRows: (rows: readonly Row[]) => void,
): Promise<Row[]> {
  const { rounds, budget, smoke } = options
  const takesAll = smoke || options.repositories.length > 0
  const rows: Row[] = []
  const run = async (title: string, work: (surroundings: Surroundings) => Promise<readonly Row[]>) => {
    note(title)
    const scratch = join(folder, 'scratch')
    await mkdir(scratch)
    const done = await work({ scratch, cores, measuring: { rounds, budget, warmUp: !smoke }, smoke })
    rows.push(...done)
    onRows(done)
    await rm(scratch, { recursive: true, force: true })
  }
  for (const job of options.jobs) {
    if (job.kind === 'standalone') {
      await run(job.name, (surroundings) => job.run(surroundings))
      continue
    }
    for (const corpus of corpora) {
      if (!takesAll && job.corpora?.includes(corpus.name) === false) continue
      await run(`${job.name} on ${corpus.name}`, (surroundings) => job.run({ ...surroundings, corpus }))
    }
  }
  return rows
}

async function versionOf(name: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(`node_modules/${name}/package.json`, 'utf8'))
  const hasVersion = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return `${name} ${hasVersion ? String(manifest.version) : ''}`
}

/** Says on standard error what is going on: a run takes a while. */
function note(text: string): void {
  process.stderr.write(`bench: ${text}\n`)
}
