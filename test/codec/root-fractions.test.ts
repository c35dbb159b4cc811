import { expect, test } from 'vitest'
import { rootFractions } from '../../src/codec/loops/root-fractions.ts'

test('roots of primes give the constants of SHA-256, also where the last digits of a root are wrong', () => {
  const constants = rootFractions(64, Math.cbrt)
  expect([constants[0]! >>> 0, constants[63]! >>> 0]).toEqual([0x428a2f98, 0xc67178f2])
  expect(rootFractions(8, Math.sqrt)[7]! >>> 0).toBe(0x5be0cd19)
  for (const error of [1 + 4e-13, 1 - 4e-13]) {
    expect(rootFractions(64, (prime) => Math.cbrt(prime) * error)).toEqual(constants)
    expect(rootFractions(8, (prime) => Math.sqrt(prime) * error)).toEqual(rootFractions(8, Math.sqrt))
  }
})
