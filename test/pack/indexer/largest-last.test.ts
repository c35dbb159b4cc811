import fc from 'fast-check'
import { expect, test } from 'vitest'
import { walkDeltaTree } from '../../../src/pack/indexer/delta-tree.ts'
import { EntryTable } from '../../../src/pack/indexer/entry-table.ts'
import { putLargestLast } from '../../../src/pack/indexer/largest-last.ts'
import { WindowedTable } from '../../../src/pack/indexer/windowed-table.ts'

/** For each row its base, as a fraction of the rows before it; some have none. */
const forest = fc.array(
  fc.option(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { freq: 4 }),
  {
    minLength: 1,
    maxLength: 60,
  },
)

function basesOf(fractions: readonly (number | null)[]): number[] {
  return fractions.map((fraction, row) => (fraction === null || row === 0 ? -1 : Math.floor(fraction * row)))
}

function deltasOn(row: number, first: (row: number) => number, next: (row: number) => number): number[] {
  const deltas: number[] = []
  for (let child = first(row); child >= 0; child = next(child)) deltas.push(child)
  return deltas
}

test('the delta that most depend on comes last, and the others stay in their order, in both tables', () => {
  fc.assert(
    fc.property(forest, (fractions) => {
      const bases = basesOf(fractions)
      const table = new EntryTable(bases.length, 20)
      const windowed = new WindowedTable(bases.length, 20)
      bases.forEach((base, row) => {
        if (base >= 0) table.addChild(base, row)
        if (base >= 0) windowed.addChild(base, row)
      })
      const first = (row: number): number => table.firstChild[row]!
      const listed = bases.map((_, row) => deltasOn(row, first, (delta) => table.next(delta)))
      putLargestLast(table, bases.length, first)
      putLargestLast(windowed, bases.length, (row) => windowed.firstChild(row))
      const below = (row: number): number => {
        let count = 0
        walkDeltaTree(table, row, () => count++)
        return count
      }
      listed.forEach((before, row) => {
        const after = deltasOn(row, first, (delta) => table.next(delta))
        const windowedFirst = (of: number): number => windowed.firstChild(of)
        expect(deltasOn(row, windowedFirst, (delta) => windowed.next(delta))).toEqual(after)
        const last = after.at(-1)
        expect(after.slice(0, -1)).toEqual(before.filter((delta) => delta !== last))
        if (last !== undefined) expect(below(last)).toBe(Math.max(...after.map(below)))
      })
    }),
  )
})
