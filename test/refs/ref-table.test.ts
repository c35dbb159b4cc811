import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareRefNames } from '../../src/refs/ref-name.ts'
import { createRefTable, type RefValue } from '../../src/refs/ref-table.ts'

const name = fc
  .array(fc.constantFrom('a', 'b', 'é', '～', '😀'), { minLength: 1, maxLength: 3 })
  .map((parts) => `refs/${parts.join('/')}`)
const value = fc.constantFrom<RefValue>(
  { target: { kind: 'direct', id: 'a'.repeat(40) } },
  { target: { kind: 'direct', id: 'a'.repeat(40) }, peeled: null },
  { target: { kind: 'symbolic', target: 'refs/x' } },
)

describe('ref tables', () => {
  test('a table holds what a map holds, in byte order, and an edit leaves the old table as it was', () => {
    const changes = fc.array(fc.tuple(name, fc.option(value)), { maxLength: 20 })
    fc.assert(
      fc.property(changes, changes, name, (first, second, prefix) => {
        const model = new Map<string, RefValue>()
        let table = createRefTable()
        for (const step of [first, second]) {
          const before = table
          const listed = before.list('')
          for (const [key, value] of step) {
            if (value === null) model.delete(key)
            else model.set(key, value)
          }
          table = table.edit(new Map(step))
          expect(before.list('')).toEqual(listed)
        }
        const sorted = [...model].sort(([left], [right]) => compareRefNames(left, right))
        const expected = sorted.map(([key, value]) => ({ name: key, ...value }))
        expect(table.list('')).toEqual(expected)
        expect(table.size).toBe(expected.length)
        expect(table.list(prefix)).toEqual(expected.filter((ref) => ref.name.startsWith(prefix)))
        expect([...table.names(prefix)]).toEqual(table.list(prefix).map((ref) => ref.name))
        expect(table.find(prefix)).toEqual(expected.find((ref) => ref.name === prefix))
        expect(createRefTable(expected.toReversed()).list('')).toEqual(expected)
      }),
    )
  })
})
