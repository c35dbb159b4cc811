import { parseArgs } from 'node:util'
import type { Job } from './job.ts'
import { JOBS } from './jobs.ts'

export interface BenchOptions {
  readonly jobs: readonly Job[]
  readonly repositories: readonly string[]
  /** Generated corpora to use; empty: all. */
  readonly corpora: readonly string[]
  readonly keep: string | undefined
  readonly rounds: number
  /** Milliseconds after which a job begins no more rounds. */
  readonly budget: number
  readonly smoke: boolean
  /** Where all figures go as JSON, anew after each job; `-` is standard output, and nothing else goes there then. */
  readonly json: string | undefined
}

export function usage(): string {
  const jobs = JOBS.map(({ name, describe }) => `  ${name.padEnd(16)} ${describe}`)
  return `Usage: npm run bench -- [options] [job ...]

Measures packstone against git, isomorphic-git and just-git, in rotation, in one run. Build first (npm run bench does).

  --repo <dir>     measure on a copy of this repository instead of generated ones (may be given several times)
  --corpus <name>  use this generated corpus only (may be given several times)
  --keep <dir>     keep the corpora there, so that the next run need not make them
  --rounds <n>     rounds per measurement (default 7)
  --budget <s>     seconds after which a measurement begins no more rounds, once there are three (default 40)
  --smoke          a few seconds, to see that it works
  --json <file>    write all figures as JSON too, anew after each job; -: to standard output, instead of the tables

Jobs (default: all):
${jobs.join('\n')}
`
}

/** Parses the command line; undefined when it is wrong, or asks for help. */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      repo: { type: 'string', multiple: true, default: [] },
      corpus: { type: 'string', multiple: true, default: [] },
      keep: { type: 'string' },
      rounds: { type: 'string' },
      budget: { type: 'string', default: '40' },
      smoke: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const { repo, corpus, keep, smoke, json } = values
  const rounds = Number(values.rounds ?? (smoke ? 1 : 7))
  const budget = 1000 * Number(values.budget)
  const isMeant = (job: Job): boolean =>
    positionals.length === 0 ? repo.length === 0 || job.kind === 'corpus' : positionals.includes(job.name)
  const jobs = JOBS.filter(isMeant)
  const isKnown = (name: string): boolean => JOBS.some((job) => job.name === name)
  if (values.help || !positionals.every(isKnown)) return undefined
  if (!Number.isInteger(rounds) || rounds < 1 || !(budget > 0)) return undefined
  return { jobs, repositories: repo, corpora: corpus, keep, rounds, budget, smoke, json }
}
