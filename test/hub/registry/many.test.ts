import { beforeAll, describe, expect, it } from 'vitest'
import { createMemoryRegistry } from '../../../src/hub/registry/memory/memory-registry.ts'
import type { Registry, RepositoryQuery } from '../../../src/hub/registry/registry.ts'
import { sampleId, sampleRepository } from '../../../src/hub/registry/conformance/samples.ts'
import { createSqliteRegistry } from '../../../src/hub/registry/sqlite/sqlite-registry.ts'
import { openNodeDatabase } from '../../../src/storage/sqlite/drivers/node.ts'

/** More than a namespace that is searched name by name, and than the matches of a search that are sorted. */
const COUNT = 11_000

/** Every second name has `even` in it, every thousandth `rare`. */
function nameOf(at: number): string {
  return `repo-${at}${at % 2 === 0 ? '-even' : '-odd'}${at % 1000 === 0 ? '.Rare' : ''}`
}

describe('a namespace of many repositories in SQLite is listed and searched as the model in memory says', () => {
  let registry: Registry
  const model = createMemoryRegistry()

  beforeAll(async () => {
    registry = createSqliteRegistry({
      database: await openNodeDatabase({ path: ':memory:' }),
    })
    for (let at = 0; at < COUNT; at++) {
      const sample = sampleRepository(nameOf(at), {
        id: sampleId(`id${at}`),
        createdAt: (at * 7919) % COUNT,
        updatedAt: (at * 104_729) % COUNT,
      })
      await registry.createRepository(sample)
      await model.createRepository(sample)
    }
    await registry.createRepository(sampleRepository('rare-even', { namespace: 'elsewhere' }))
  })

  const queries: readonly Omit<RepositoryQuery, 'namespace' | 'limit'>[] = [
    { sort: 'created_at', direction: 'desc' },
    { sort: 'updated_at', direction: 'asc', offset: 5000 },
    { sort: 'name', direction: 'desc' },
    { sort: 'created_at', direction: 'desc', search: 'rare' },
    { sort: 'name', direction: 'asc', search: 'EVEN' },
    { sort: 'updated_at', direction: 'desc', search: 'even' },
    { sort: 'created_at', direction: 'asc', search: '0-even.r' },
    { sort: 'name', direction: 'asc', search: '99' },
    { sort: 'created_at', direction: 'desc', search: 'z' },
    { sort: 'created_at', direction: 'desc', search: 'even-odd' },
  ]
  it.each(queries)('%o', async (query) => {
    const ask = async (asked: Registry): Promise<unknown> => {
      const first = await asked.listRepositories({
        namespace: 'space',
        limit: 7,
        withTotal: true,
        ...query,
      })
      const second =
        first.next &&
        (await asked.listRepositories({ namespace: 'space', limit: 7, ...query, after: first.next }))
      return [first, second]
    }
    expect(await ask(registry)).toEqual(await ask(model))
  })
})
