import type { Cores } from './cores.ts'
import type { Corpus } from './corpus.ts'
import type { MeasureOptions } from './measure.ts'
import type { Row } from './row.ts'

/** What a job works with. */
export interface JobContext {
  readonly corpus: Corpus
  /** A folder for whatever the job writes, empty at first and removed afterwards. */
  readonly scratch: string
  readonly cores: Cores
  readonly measuring: MeasureOptions
  /** A run that only shows that everything works. */
  readonly smoke: boolean
}

/** One thing that is measured, on one corpus at a time. */
export interface Job {
  readonly name: string
  readonly describe: string
  /** The generated corpora that it is worth its time on. Absent: all. On repositories that somebody names, every job runs. */
  readonly corpora?: readonly string[]
  /** Whether it is the same on every corpus, so that one is enough. */
  readonly once?: boolean
  run(context: JobContext): Promise<readonly Row[]>
}
