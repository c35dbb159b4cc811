import { assertEqual, assertTrue } from '../../../storage/conformance/assertions.ts'
import { scenario, type RegistryScenario } from './registry-scenario.ts'
import { sampleRepository } from './samples.ts'

export const outboxScenarios: readonly RegistryScenario[] = [
  scenario(
    'events are read in the order in which they came to be until they are dropped, and numbers are never used again',
    async (registry) => {
      await registry.appendEvents('one', ['a', 'b'])
      await registry.appendEvents('two', ['c'])
      await registry.appendEvents('one', ['d', 'e'])
      const all = await registry.readEvents('one', 10)
      assertEqual(
        all.map(({ text }) => text),
        ['a', 'b', 'd', 'e'],
        'events',
      )
      assertEqual((await registry.readEvents('one', 2)).length, 2, 'the number of the first ones')
      const sequences = all.map(({ sequence }) => sequence)
      await registry.dropEvents('two', sequences)
      assertEqual((await registry.readEvents('one', 9)).length, 4, 'the number after others were dropped')
      await registry.dropEvents('one', sequences.slice(0, 1))
      await registry.dropEvents('one', sequences.slice(0, 3))
      const [left, ...none] = await registry.readEvents('one', 9)
      assertEqual([left?.text, none.length], ['e', 0], 'what is left')
      await registry.dropEvents('one', sequences)
      assertEqual(await registry.readEvents('one', 10), [], 'events after all were dropped')
      await registry.appendEvents('one', ['f'])
      const [next] = await registry.readEvents('one', 10)
      assertTrue(
        (next?.sequence ?? 0) > Math.max(...sequences),
        `f has the number ${next?.sequence ?? 'none'}`,
      )
    },
  ),
  scenario('outboxes that have events are listed in order of names, page by page', async (registry) => {
    const { record, token } = sampleRepository('a')
    await registry.createRepository({ record, token, events: ['created'] })
    const names = [record.id, 'outbox-1', 'outbox-10', 'outbox-2']
    for (const name of names.slice(1)) await registry.appendEvents(name, ['a', 'b', 'c'])
    const list = async (limit: number, after?: string): Promise<string[]> => {
      const listed = await registry.listOutboxes(limit, after)
      return listed.filter((name) => names.includes(name))
    }
    assertEqual(await list(10), names, 'all')
    assertEqual(await list(2), names.slice(0, 2), 'the first two')
    assertEqual(await list(2, 'outbox-1'), ['outbox-10', 'outbox-2'], 'those behind one')
    assertEqual(await list(2, 'outbox-2'), [], 'those behind the last one')
  }),
  scenario(
    'events of a repository that is deleted stay, and are read before those that come later',
    async (registry) => {
      const { record, token } = sampleRepository('a')
      await registry.createRepository({ record, token, events: ['created'] })
      await registry.deleteRepository(record.id, { tombstone: true, events: ['deleted'] })
      await registry.finishCleanup(record.id)
      await registry.appendEvents(record.id, ['late'])
      const events = await registry.readEvents(record.id, 9)
      assertEqual(
        events.map(({ text }) => text),
        ['created', 'deleted', 'late'],
        'events',
      )
      await registry.dropEvents(
        record.id,
        events.map(({ sequence }) => sequence),
      )
      assertEqual(await registry.readEvents(record.id, 9), [], 'events after they were dropped')
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
