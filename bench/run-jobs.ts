import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Cores } from './cores.ts'
import type { Corpus } from './corpus.ts'
import type { Surroundings } from './job.ts'
import type { BenchOptions } from './options.ts'
import type { Row } from './row.ts'

export interface RunJobsOptions extends Pick<
  BenchOptions,
  'jobs' | 'repositories' | 'rounds' | 'budget' | 'smoke'
> {
  readonly corpora: readonly Corpus[]
  readonly cores: Cores
  /** A folder that jobs may write in. */
  readonly folder: string
  /** Says what is going on. */
  readonly note: (text: string) => void
  /** Gets the rows of a job when it is done. */
  readonly onRows: (rows: readonly Row[]) => Promise<void>
}

/** A job that ended early, and why. */
export interface FailedJob {
  readonly job: string
  readonly reason: string
}

/** Runs one job after the other on the corpora that it is meant for. One that fails does not take the others with it. */
export async function runJobs(options: RunJobsOptions): Promise<readonly FailedJob[]> {
  const { jobs, corpora, cores, folder, note, onRows, rounds, budget, smoke } = options
  const takesAll = smoke || options.repositories.length > 0
  const failed: FailedJob[] = []
  const run = async (title: string, work: (surroundings: Surroundings) => Promise<readonly Row[]>) => {
    note(title)
    const scratch = join(folder, 'scratch')
    await mkdir(scratch)
    try {
      await onRows(await work({ scratch, cores, measuring: { rounds, budget, warmUp: !smoke }, smoke }))
    } catch (error) {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
      failed.push({ job: title, reason })
      note(`${title} FAILED: ${reason}`)
    } finally {
      await rm(scratch, { recursive: true, force: true, maxRetries: 5 })
    }
  }
  for (const job of jobs) {
    if (job.kind === 'standalone') {
      await run(job.name, (surroundings) => job.run(surroundings))
      continue
    }
    for (const corpus of corpora) {
      if (!takesAll && job.corpora?.includes(corpus.name) === false) continue
      await run(`${job.name} on ${corpus.name}`, (surroundings) => job.run({ ...surroundings, corpus }))
    }
  }
  return failed
}
