import { expect, test } from 'vitest'
import { nextDeath, type DeathRow } from '../../../src/hosts/node/processes/restart-delay.ts'

test('who dies again and again is started after twice the wait each time, up to ten seconds', () => {
  const delays: number[] = []
  let row: DeathRow | undefined
  for (let death = 0; death < 9; death++) {
    row = nextDeath(row, 10)
    delays.push(row.delay)
  }
  expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
})

test('who has served for long is started at once again', () => {
  expect(nextDeath({ deaths: 8, delay: 10_000 }, 60_000)).toEqual({ deaths: 1, delay: 100 })
})
