import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'vitest'
import { registryConformance } from '../../../src/hub/registry/conformance/registry-conformance.ts'
import { createBucketRegistry } from '../../../src/hub/registry/bucket/bucket-registry.ts'
import { createMemoryRegistry } from '../../../src/hub/registry/memory/memory-registry.ts'
import { createSqliteRegistry } from '../../../src/hub/registry/sqlite/sqlite-registry.ts'
import { openNodeDatabase } from '../../../src/storage/sqlite/drivers/node.ts'
import { createMemoryBucket } from '../../support/buckets/memory-bucket.ts'

describe('the registry in memory', () => {
  const createRegistry = (): Promise<ReturnType<typeof createMemoryRegistry>> =>
    Promise.resolve(createMemoryRegistry())
  for (const { name, run } of registryConformance({ createRegistry })) it(name, run)
})

describe('the registry in a bucket', () => {
  const createRegistry = (): Promise<ReturnType<typeof createBucketRegistry>> =>
    Promise.resolve(createBucketRegistry({ bucket: createMemoryBucket() }))
  for (const { name, run } of registryConformance({ createRegistry })) it(name, run)
})

describe('the registry in SQLite', () => {
  const cases = registryConformance({
    createRegistry: async () => {
      const directory = await mkdtemp(join(tmpdir(), 'packstone-registry-'))
      return createSqliteRegistry({ database: await openNodeDatabase({ path: join(directory, 'hub.db') }) })
    },
    dispose: ({ location }) => rm(dirname(location.slice('sqlite:'.length)), { recursive: true }),
  })
  for (const { name, run } of cases) it(name, run)
})
