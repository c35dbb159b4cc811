import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { git } from '../test/support/git.ts'
import { findCores, pinThisProcess } from './cores.ts'
import { copyCorpus, GENERATED, generateCorpus, SMOKE, type Corpus } from './corpus.ts'
import { parseOptions, usage, type BenchOptions } from './options.ts'
import { describeEnvironment, formatHeader, formatRows, formatSummary } from './report.ts'
import type { Row } from './row.ts'
import { runJobs, type FailedJob } from './run-jobs.ts'

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
    const toStdout = options.json === '-'
    const print = (text: string): void => {
      if (!toStdout) process.stdout.write(text)
    }
    print(formatHeader(environment, corpora))
    const rows: Row[] = []
    const toJson = (failed: readonly FailedJob[]): string =>
      `${JSON.stringify({ environment, corpora, rows, failed }, null, 2)}\n`
    const failed = await runJobs({
      ...options,
      corpora,
      cores,
      folder,
      note,
      onRows: async (done) => {
        rows.push(...done)
        print(formatRows(done, environment))
        if (options.json !== undefined && !toStdout) await writeFile(options.json, toJson([]))
      },
    })
    if (toStdout) process.stdout.write(toJson(failed))
    else if (options.json !== undefined) await writeFile(options.json, toJson(failed))
    if (!options.smoke) print(formatSummary(rows))
    for (const { job, reason } of failed) process.stderr.write(`bench: ${job} failed: ${reason}\n`)
    if (failed.length > 0) return 1
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
    note(`preparing ${shape.name}`)
    corpora.push(await generateCorpus(shape, root))
  }
  return corpora
}

async function versionOf(name: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(`node_modules/${name}/package.json`, 'utf8'))
  const hasVersion = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return `${name} ${hasVersion ? String(manifest.version) : ''}`
}

/** Says on standard error what is going on, and after how many seconds: a run takes a while. */
function note(text: string): void {
  process.stderr.write(`bench: ${(performance.now() / 1000).toFixed(0).padStart(4)} s: ${text}\n`)
}
