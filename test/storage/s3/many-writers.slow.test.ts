import { test } from 'vitest'
import { hasS3Server } from '../../support/buckets/s3-server.ts'
import { runManyWriters } from './many-writers.ts'

test.skipIf(!(await hasS3Server()))(
  'four servers on one bucket, eight clients and 50 branches: every acknowledged commit is in history exactly once',
  () => runManyWriters({ servers: 4, clients: 8, sharedCommits: 6, branches: 50 }),
  900_000,
)
