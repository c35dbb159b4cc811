import { expect, it } from 'vitest'
import { listOffers, parseCapabilityList } from '../../src/protocol/capability-list.ts'

it('lists what a table offers, in its order', () => {
  const table = [
    { name: 'always' },
    { name: 'maybe', offer: (on: boolean) => on },
    { name: 'value', offer: () => 'x' },
    { name: 'many', offer: () => ['a:b', 'c:d'] },
    { name: 'none', offer: () => [] },
  ]
  expect(listOffers(table, true)).toEqual(['always', 'maybe', 'value=x', 'many=a:b', 'many=c:d'])
  expect(listOffers(table, false)).toEqual(['always', 'value=x', 'many=a:b', 'many=c:d'])
})

it('parses the words of a client, first of a name first', () => {
  expect([...parseCapabilityList(' multi_ack agent=git/2  agent=x no-done=\n')]).toEqual([
    ['multi_ack', ''],
    ['agent', 'git/2'],
    ['no-done', ''],
  ])
})
