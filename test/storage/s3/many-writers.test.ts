import { test } from 'vitest'
import { runManyWriters } from './many-writers.ts'

test('two servers on one bucket, and three clients: every acknowledged commit is in history exactly once', () =>
  runManyWriters({ servers: 2, clients: 3, sharedCommits: 3, branches: 6 }))
