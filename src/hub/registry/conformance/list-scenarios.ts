import { assertEqual } from '../../../storage/conformance/assertions.ts'
import type { Position, Registry, RepositoryQuery, RepositorySort } from '../registry.ts'
import { scenario, type RegistryScenario } from './registry-scenario.ts'
import { NOW, sampleRepository } from './samples.ts'

const SORTS: readonly RepositorySort[] = ['created_at', 'updated_at', 'last_push_at', 'name']

export const listScenarios: readonly RegistryScenario[] = [
  scenario(
    'repositories are listed in every order, in both directions, ties by id, those never pushed to first',
    async (registry) => {
      // Times that make each order another one, with ties.
      const rows = ['b', 'C', 'a', 'e', 'd'].map((name, at) => ({
        name,
        createdAt: NOW + (at >> 1),
        updatedAt: NOW + 10 - at,
        lastPushAt: at % 2 === 0 ? null : NOW + at,
      }))
      for (const { name, ...times } of rows) await registry.createRepository(sampleRepository(name, times))
      const expected: Readonly<Record<RepositorySort, string>> = {
        created_at: 'bCaed'.split('').sort(byTimeThenId(rows)).join(''),
        updated_at: 'deaCb',
        last_push_at: 'abdCe',
        name: 'abCde',
      }
      for (const sort of SORTS) {
        const ascending = await names(registry, { sort, direction: 'asc' })
        assertEqual(ascending, expected[sort].split(''), `ascending by ${sort}`)
        const descending = await names(registry, { sort, direction: 'desc' })
        assertEqual(descending, ascending.reverse(), `descending by ${sort}`)
      }
    },
  ),
  scenario(
    'pages follow each other without gaps or repeats, whatever comes and goes between them',
    async (registry) => {
      const all = 'abcdefghij'.split('')
      for (const [at, name] of all.entries()) {
        await registry.createRepository(sampleRepository(name, { createdAt: NOW + (at >> 1) }))
      }
      for (const sort of ['created_at', 'name'] as const) {
        for (const direction of ['asc', 'desc'] as const) {
          const whole = await names(registry, { sort, direction })
          const seen: string[] = []
          let after: Position | undefined
          do {
            const page = await registry.listRepositories({
              namespace: 'space',
              sort,
              direction,
              limit: 3,
              ...(after === undefined ? {} : { after }),
            })
            seen.push(...page.rows.map(({ name }) => name))
            after = page.next
          } while (after !== undefined)
          assertEqual(seen, whole, `pages by ${sort}, ${direction}`)
        }
      }
      const first = await registry.listRepositories({
        namespace: 'space',
        sort: 'name',
        direction: 'asc',
        limit: 3,
      })
      await registry.deleteRepository(sampleRepository('c').record.id, { tombstone: true })
      await registry.createRepository(sampleRepository('aa'))
      const second = await registry.listRepositories({
        namespace: 'space',
        sort: 'name',
        direction: 'asc',
        limit: 3,
        ...(first.next === undefined ? {} : { after: first.next }),
      })
      assertEqual(
        second.rows.map(({ name }) => name),
        ['d', 'e', 'f'],
        'the page behind a deleted row',
      )
    },
  ),
  scenario('a page can be counted off, and says how many rows there are when asked', async (registry) => {
    for (const name of 'abcde') await registry.createRepository(sampleRepository(name))
    const page = await registry.listRepositories({
      namespace: 'SPACE',
      sort: 'name',
      direction: 'asc',
      limit: 2,
      offset: 2,
      withTotal: true,
    })
    assertEqual(
      [page.rows.map(({ name }) => name), page.total, page.next !== undefined],
      [['c', 'd'], 5, true],
      'the second page of two',
    )
    const absent = await registry.listRepositories({
      namespace: 'none',
      sort: 'name',
      direction: 'asc',
      limit: 2,
      withTotal: true,
    })
    assertEqual(absent, { rows: [], total: 0 }, 'a namespace that is not there')
  }),
  scenario(
    'a search finds every part of a name in any case, within its namespace, in order and page by page',
    async (registry) => {
      const all = ['alpha-one', 'Alpha_two', 'beta.alpha', 'gamma', 'al%ha', 'a"b"c', 'alph']
      for (const name of all) await registry.createRepository(sampleRepository(name))
      await registry.createRepository(sampleRepository('alpha-three', { namespace: 'elsewhere' }))
      const search = (text: string): Promise<string[]> =>
        names(registry, { sort: 'name', direction: 'asc', search: text })
      assertEqual(await search('ALPHA'), ['alpha-one', 'Alpha_two', 'beta.alpha'], 'a long text')
      assertEqual(await search('a_t'), ['Alpha_two'], 'what is a wildcard elsewhere')
      assertEqual(await search('l%h'), ['al%ha'], 'another wildcard')
      assertEqual(await search('"b"'), ['a"b"c'], 'quotes')
      assertEqual(await search('ga'), ['gamma'], 'two letters')
      assertEqual(await search('mm'), ['gamma'], 'two letters inside')
      assertEqual(await search('alphb'), [], 'what is not there')
      assertEqual((await search('')).length, all.length, 'the number of rows for an empty text')
      const page = await registry.listRepositories({
        namespace: 'space',
        search: 'alpha',
        sort: 'name',
        direction: 'desc',
        limit: 2,
        withTotal: true,
      })
      assertEqual(
        [page.rows.map(({ name }) => name), page.total],
        [['beta.alpha', 'Alpha_two'], 3],
        'the first page of a search',
      )
      await registry.deleteRepository(sampleRepository('beta.alpha').record.id, { tombstone: true })
      assertEqual(await search('alpha'), ['alpha-one', 'Alpha_two'], 'after one of them was deleted')
    },
  ),
]

async function names(
  registry: Registry,
  query: Pick<RepositoryQuery, 'sort' | 'direction' | 'search'>,
): Promise<string[]> {
  const page = await registry.listRepositories({ namespace: 'space', limit: 100, ...query })
  return page.rows.map(({ name }) => name)
}

function byTimeThenId(
  rows: readonly { readonly name: string; readonly createdAt: number }[],
): (left: string, right: string) => number {
  const timeOf = (name: string): number => rows.find((row) => row.name === name)?.createdAt ?? 0
  const idOf = (name: string): string => sampleRepository(name).record.id
  return (left, right) => timeOf(left) - timeOf(right) || (idOf(left) < idOf(right) ? -1 : 1)
}
