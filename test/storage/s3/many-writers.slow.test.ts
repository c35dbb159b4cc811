import { test } from 'vitest'
import { runManyWriters } from './many-writers.ts'

test(
  'four servers on one bucket, eight clients and 50 branches: every acknowledged commit is in history exactly once',
  () => runManyWriters({ servers: 4, clients: 8, sharedCommits: 6, branches: 50 }),
  900_000,
)
