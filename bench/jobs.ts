import type { Job } from './job.ts'
import { cloneJob } from './jobs/clone.ts'
import { fetchJob } from './jobs/fetch.ts'
import { forksJob } from './jobs/forks.ts'
import { importJob } from './jobs/import.ts'
import { indexPackWarmJob } from './jobs/index-pack-warm.ts'
import { indexPackJob } from './jobs/index-pack.ts'
import { memoryWindowedJob } from './jobs/memory-windowed.ts'
import { memoryJob } from './jobs/memory.ts'
import { packJob } from './jobs/pack.ts'
import { packWarmJob } from './jobs/pack-warm.ts'
import { peersJob } from './jobs/peers.ts'
import { pushJob } from './jobs/push.ts'
import { readJob } from './jobs/read.ts'
import { refsJob } from './jobs/refs.ts'
import { registryJob } from './jobs/registry.ts'
import { runtimesJob } from './jobs/runtimes.ts'
import { sizeJob } from './jobs/size.ts'
import { storageJob } from './jobs/storage.ts'

/** Everything that is measured, in the order of the report. */
export const JOBS: readonly Job[] = [
  indexPackJob,
  indexPackWarmJob,
  cloneJob,
  refsJob,
  fetchJob,
  pushJob,
  readJob,
  packJob,
  packWarmJob,
  storageJob,
  forksJob,
  runtimesJob,
  peersJob,
  memoryJob,
  memoryWindowedJob,
  registryJob,
  importJob,
  sizeJob,
]
