import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeHex } from '../../src/bytes/hex.ts'
import { IdTable } from '../../src/object/id-table.ts'

/** An id as a peer may choose it: all alike but for its last bytes. */
function chosenId(number: number, length: number): Uint8Array {
  const id = new Uint8Array(length).fill(0xff)
  new DataView(id.buffer).setUint32(length - 4, number)
  return id
}

describe.each(['existing', 'named'] as const)('a table of %s ids', (kind) => {
  test.each([20, 32])('numbers ids of %i bytes in the order they come', (length) => {
    const ids = fc.array(fc.uint8Array({ minLength: length, maxLength: length }), { maxLength: 200 })
    fc.assert(
      fc.property(ids, (list) => {
        const table = new IdTable(length, 1, kind)
        const known = new Map<string, number>()
        for (const id of [...list, ...list]) {
          const hex = encodeHex(id)
          if (!known.has(hex)) known.set(hex, known.size)
          expect(table.add(id)).toBe(known.get(hex))
          expect(table.find(id)).toBe(known.get(hex))
        }
        expect(table.size).toBe(known.size)
      }),
    )
  })
})

test('ids that a peer chose to be alike cost no more than others', () => {
  const table = new IdTable(20, 64, 'named')
  // By their first bytes alone these would be compared with one another a hundred billion times, for which no test has the time.
  for (let number = 0; number < 500_000; number++) table.add(chosenId(number, 20))
  expect(table.size).toBe(500_000)
  expect(table.find(chosenId(499_999, 20))).toBe(499_999)
  expect(table.has(chosenId(500_000, 20))).toBe(false)
})
