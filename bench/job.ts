import type { Cores } from './cores.ts'
import type { Corpus } from './corpus.ts'
import type { MeasureOptions } from './measure.ts'
import type { Row } from './row.ts'

/** What every job works with. */
export interface Surroundings {
  /** A folder for whatever the job writes, empty at first and removed afterwards. */
  readonly scratch: string
  readonly cores: Cores
  readonly measuring: MeasureOptions
  /** A run that only shows that everything works. */
  readonly smoke: boolean
}

export interface JobContext extends Surroundings {
  readonly corpus: Corpus
}

interface Described {
  readonly name: string
  readonly describe: string
}

/** Something that is measured on one corpus at a time. */
export interface CorpusJob extends Described {
  readonly kind: 'corpus'
  /** The generated corpora that it is worth its time on. Absent: all. On repositories that somebody names, every job runs. */
  readonly corpora?: readonly string[]
  run(context: JobContext): Promise<readonly Row[]>
}

/** Something that is measured once, without a corpus; with named repositories only when it is asked for by name. */
export interface StandaloneJob extends Described {
  readonly kind: 'standalone'
  run(surroundings: Surroundings): Promise<readonly Row[]>
}

export type Job = CorpusJob | StandaloneJob
