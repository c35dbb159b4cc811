import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SharedLru } from '../../src/bytes/shared-lru.ts'

/** The same promises kept the slow way: a list of entries, the least recently used one first. */
class NaiveLru {
  entries: { space: number; key: number; value: string; weight: number }[] = []
  readonly maxBytes: number

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  get bytes(): number {
    return this.entries.reduce((sum, { weight }) => sum + weight, 0)
  }

  get(space: number, key: number): string | undefined {
    const at = this.entries.findIndex((entry) => entry.space === space && entry.key === key)
    const [entry] = at < 0 ? [] : this.entries.splice(at, 1)
    if (entry !== undefined) this.entries.push(entry)
    return entry?.value
  }

  set(space: number, key: number, value: string, weight: number): void {
    this.entries = this.entries.filter((entry) => entry.space !== space || entry.key !== key)
    if (weight > this.maxBytes) return
    this.entries.push({ space, key, value, weight })
    while (this.bytes > this.maxBytes) this.entries.shift()
  }

  clear(space: number): void {
    this.entries = this.entries.filter((entry) => entry.space !== space)
  }
}

const SPACES = 3
const operation = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('set' as const),
      space: fc.nat(SPACES - 1),
      key: fc.nat(7),
      weight: fc.nat(14),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('get' as const),
      space: fc.nat(SPACES - 1),
      key: fc.nat(7),
      weight: fc.constant(0),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('clear' as const),
      space: fc.nat(SPACES - 1),
      key: fc.constant(0),
      weight: fc.constant(0),
    }),
  },
)

describe('SharedLru', () => {
  test('does what a list ordered by use does, and never holds more than its bound', () => {
    fc.assert(
      fc.property(fc.nat(30), fc.array(operation, { maxLength: 120 }), (maxBytes, operations) => {
        const lru = new SharedLru<string>(maxBytes)
        const naive = new NaiveLru(maxBytes)
        const spaces = Array.from({ length: SPACES }, () => lru.openSpace())
        operations.forEach(({ do: what, space, key, weight }, at) => {
          const opened = spaces[space]!
          if (what === 'get') expect(opened.get(key)).toBe(naive.get(space, key))
          else if (what === 'clear') {
            opened.clear()
            naive.clear(space)
          } else {
            opened.set(key, `value ${at}`, weight)
            naive.set(space, key, `value ${at}`, weight)
          }
          expect(lru.bytes).toBe(naive.bytes)
          expect(lru.bytes).toBeLessThanOrEqual(maxBytes)
        })
        for (let space = 0; space < SPACES; space++) {
          for (let key = 0; key < 8; key++) expect(spaces[space]!.get(key)).toBe(naive.get(space, key))
        }
      }),
    )
  })

  test('evicts what was used least recently, of whatever space', () => {
    const lru = new SharedLru<string>(3)
    const [one, two] = [lru.openSpace(), lru.openSpace()]
    one.set(1, 'a', 1)
    two.set(1, 'b', 1)
    one.set(2, 'c', 1)
    one.get(1)
    two.set(2, 'd', 1)
    expect([one.get(1), two.get(1), one.get(2), two.get(2)]).toEqual(['a', undefined, 'c', 'd'])
  })

  test('gives up at once what is beyond a new limit, and takes as much as a wider one allows', () => {
    const lru = new SharedLru<string>(3)
    const space = lru.openSpace()
    for (const key of [1, 2, 3]) space.set(key, `value ${key}`, 1)
    space.get(1)
    lru.limit(1)
    expect([lru.bytes, lru.maxBytes, space.get(1), space.get(2)]).toEqual([1, 1, 'value 1', undefined])
    lru.limit(5)
    space.set(4, 'more', 4)
    expect([lru.bytes, space.get(1), space.get(4)]).toEqual([5, 'value 1', 'more'])
  })

  test('tells how much it holds whenever that changes', () => {
    fc.assert(
      fc.property(fc.nat(30), fc.array(operation, { maxLength: 60 }), (maxBytes, operations) => {
        let told = 0
        const lru = new SharedLru<string>(maxBytes, (bytes) => {
          told = bytes
        })
        const spaces = Array.from({ length: SPACES }, () => lru.openSpace())
        for (const { do: what, space, key, weight } of operations) {
          if (what === 'get') spaces[space]!.get(key)
          else if (what === 'clear') spaces[space]!.clear()
          else spaces[space]!.set(key, '', weight)
          expect(told).toBe(lru.bytes)
        }
      }),
    )
  })

  test('a value that is too heavy replaces the former one by nothing', () => {
    const lru = new SharedLru<string>(10)
    const space = lru.openSpace()
    space.set(1, 'old', 5)
    space.set(1, 'new', 11)
    expect(space.get(1)).toBeUndefined()
    expect(lru.bytes).toBe(0)
  })
})
