import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OffsetOrder } from '../../src/pack/offset-order.ts'
import { createRandom } from '../support/random.ts'

const offset = fc.oneof(
  fc.nat(100),
  fc.nat(100_000),
  fc.maxSafeNat(),
  fc.constantFrom(0, 0xffff_ffff, 0x1_0000_0000, Number.MAX_SAFE_INTEGER),
)

function assertOrder(offsets: readonly number[]): void {
  const order = new OffsetOrder(Float64Array.from(offsets))
  const ranks = offsets.map((_, rank) => rank).sort((left, right) => offsets[left]! - offsets[right]!)
  expect([...order.ranks]).toEqual(ranks)
  expect([...order.offsets]).toEqual(ranks.map((rank) => offsets[rank]))
  const known = new Set(offsets)
  const asked = offsets.flatMap((one) => [one, one - 1, one + 1, -one - 1, 2 * one + 1])
  expect(asked.filter((one) => known.has(one) && order.offsets[order.positionOf(one)] !== one)).toEqual([])
  expect(asked.filter((one) => !known.has(one) && order.positionOf(one) !== -1)).toEqual([])
}

test('is the order that comparing offsets gives, equal ones by rank, and finds each and nothing else', () => {
  fc.assert(fc.property(fc.array(offset, { maxLength: 60 }), assertOrder))
})

test('orders the entries of packs of any size', () => {
  const random = createRandom(11)
  for (const [count, below] of [
    [1, 1],
    [5000, 1 << 20],
    [20_000, 1 << 30],
    [5000, Number.MAX_SAFE_INTEGER],
  ] as const)
    assertOrder(Array.from({ length: count }, () => Math.floor((random.below(1 << 30) / (1 << 30)) * below)))
})

test('finds nothing where there is nothing', () => {
  const order = new OffsetOrder(new Float64Array(0))
  expect([order.positionOf(0), order.positionOf(12), order.ranks.length]).toEqual([-1, -1, 0])
})
