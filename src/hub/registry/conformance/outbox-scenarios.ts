import { assertEqual, assertTrue } from '../../../storage/conformance/assertions.ts'
import { scenario, type RegistryScenario } from './registry-scenario.ts'

export const outboxScenarios: readonly RegistryScenario[] = [
  scenario(
    'events are read in the order in which they came to be until they are dropped, and numbers are never used again',
    async (registry) => {
      await registry.appendEvents('one', ['a', 'b'])
      await registry.appendEvents('two', ['c'])
      const all = await registry.readEvents(10)
      assertEqual(
        all.map(({ repository, text }) => [repository, text]),
        [
          ['one', 'a'],
          ['one', 'b'],
          ['two', 'c'],
        ],
        'all events',
      )
      assertEqual((await registry.readEvents(2)).length, 2, 'the number of the first ones')
      await registry.dropEvents(all.map(({ sequence }) => sequence))
      assertEqual(await registry.readEvents(10), [], 'events after they were dropped')
      await registry.appendEvents('one', ['d'])
      const [next] = await registry.readEvents(10)
      const highest = Math.max(...all.map(({ sequence }) => sequence))
      assertTrue((next?.sequence ?? 0) > highest, `event d has the number ${next?.sequence ?? 'none'}`)
    },
  ),
  scenario(
    'a mark stays until it is cleared by its own number, and not by that of one before',
    async (registry) => {
      const first = await registry.markPending('one')
      const second = await registry.markPending('one')
      await registry.markPending('two')
      assertTrue(second > first, `the marks are ${first} and ${second}`)
      await registry.clearPending('one', first)
      const marked = await registry.listPending(10)
      assertEqual(
        marked.map(({ repository }) => repository),
        ['one', 'two'],
        'marked repositories',
      )
      await registry.clearPending('one', second)
      assertEqual((await registry.listPending(10)).length, 1, 'the number of marked ones')
      assertTrue((await registry.markPending('one')) > second, 'a mark after clearing is greater')
      assertEqual(
        (await registry.listPending(10, 'one')).map(({ repository }) => repository),
        ['two'],
        'those behind one',
      )
    },
  ),
]
