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
  scenario('each mark stays until it is cleared by its own number', async (registry) => {
    const first = await registry.markPending('one', 1000)
    const second = await registry.markPending('one', 2000)
    const other = await registry.markPending('two', 3000)
    assertTrue(first !== second, `both marks are ${first}`)
    const two = { repository: 'two', marks: [{ mark: other, at: 3000 }] }
    const secondOfOne = { repository: 'one', marks: [{ mark: second, at: 2000 }] }
    const listed = await registry.listPending(10)
    assertEqual(
      listed.map(({ repository, marks }) => [
        repository,
        [...marks].sort((left, right) => left.at - right.at),
      ]),
      [
        [
          'one',
          [
            { mark: first, at: 1000 },
            { mark: second, at: 2000 },
          ],
        ],
        ['two', two.marks],
      ],
      'what is marked',
    )
    assertEqual(await registry.listPending(10, 'one'), [two], 'those behind one')
    assertEqual((await registry.listPending(1)).length, 1, 'the number of repositories in a page of one')
    await registry.clearPending('one', [first])
    assertEqual(await registry.listPending(10), [secondOfOne, two], 'what is left of three marks')
    await registry.clearPending('one', [first, other])
    assertEqual(
      await registry.listPending(10),
      [secondOfOne, two],
      'what is left when marks of others were meant',
    )
    await registry.clearPending('one', [second])
    assertEqual(await registry.listPending(10), [two], 'what is left of two marks')
    const third = await registry.markPending('one', 4000)
    assertTrue(third !== first && third !== second, `the mark ${third} was there before`)
  }),
]
