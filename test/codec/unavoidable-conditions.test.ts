import { describe, expect, it } from 'vitest'
import { candidateVectors } from '../../src/codec/loops/sha1-collision/unavoidable-conditions.ts'
import { noise } from '../contract/codec-case.ts'

/**
 * The conditions again, as they are found: relative to the step that names a disturbance vector. Bit `firstBit` of word
 * `step + first` and bit `secondBit` of word `step + second` differ by `difference`, for each listed step.
 */
type Condition = readonly [
  type: 1 | 2,
  rotation: number,
  first: number,
  firstBit: number,
  second: number,
  secondBit: number,
  difference: 0 | 1,
  steps: readonly number[],
]

// prettier-ignore
const CONDITIONS: readonly Condition[] = [
  [1, 0, -16, 3, -12, 28, 0, [51]],
  [1, 0, -14, 4, -13, 4, 1, [50, 51, 52]],
  [1, 0, -13, 4, -9, 29, 0, [48, 49, 50, 51, 52]],
  [1, 0, -10, 4, -7, 29, 0, [47, 48, 49, 50, 51, 52]],
  [1, 0, -10, 4, -6, 29, 0, [45, 46]],
  [1, 0, -8, 29, -7, 29, 0, [48, 49, 50, 51, 52]],
  [1, 0, -7, 29, -6, 29, 0, [47, 48, 49, 50, 51, 52]],
  [1, 0, -6, 4, -4, 4, 1, [43, 44, 45, 46]],
  [1, 0, -6, 4, -3, 29, 0, [43, 44, 45, 46, 47, 48, 49, 50, 51, 52]],
  [1, 0, -4, 4, -2, 4, 1, [43, 44]],
  [1, 0, -4, 4, -1, 29, 0, [43, 44, 45, 46, 47, 48, 49, 50, 51, 52]],
  [1, 0, -4, 29, -3, 29, 0, [44, 45, 46, 47, 48, 49, 50, 51, 52]],
  [1, 0, -4, 29, 3, 29, 1, [52]],
  [1, 0, -3, 29, -1, 29, 1, [47, 48, 49, 50, 51, 52]],
  [1, 0, -3, 29, 4, 29, 1, [51]],
  [1, 0, -2, 4, 1, 29, 0, [43, 44, 45, 46, 47, 48, 49, 50, 51, 52]],
  [1, 0, -1, 29, 1, 29, 1, [45, 46, 47, 48, 49, 50, 51]],
  [1, 0, 0, 4, 3, 29, 0, [43, 44, 45, 46, 47, 48, 49, 50, 51, 52]],
  [1, 0, 1, 29, 3, 29, 1, [43, 44, 45, 46, 47, 48, 49]],
  [1, 0, 1, 29, 4, 29, 1, [50, 52]],
  [1, 0, 3, 29, 4, 29, 0, [43, 44, 45, 46, 47, 48, 49, 50, 51, 52]],
  [1, 0, 15, 0, 16, 5, 1, [45, 46, 47, 48]],
  [1, 0, 15, 0, 20, 30, 1, [43, 44]],
  [1, 0, 16, 5, 20, 30, 0, [43, 44]],
  [1, 0, 18, 1, 19, 6, 1, [43, 44, 45]],
  [1, 2, -16, 5, -12, 30, 0, [51]],
  [1, 2, -14, 1, -14, 6, 0, [51]],
  [1, 2, -14, 1, -13, 6, 1, [49, 50, 51]],
  [1, 2, -11, 1, -10, 6, 1, [46, 47, 48, 50, 51]],
  [1, 2, -11, 1, -9, 1, 1, [49]],
  [1, 2, -10, 6, -9, 1, 0, [49, 50, 51]],
  [1, 2, -7, 1, -6, 6, 1, [46, 47, 48, 51]],
  [1, 2, -7, 1, 1, 1, 1, [49, 50]],
  [1, 2, -6, 6, -4, 6, 0, [46, 47, 48, 49, 50, 51]],
  [1, 2, -4, 6, -2, 6, 0, [46, 47, 48, 49, 50, 51]],
  [1, 2, -2, 6, 0, 6, 0, [46, 47, 48, 49, 50, 51]],
  [1, 2, 0, 6, 1, 1, 0, [46, 47, 48, 49, 50, 51]],
  [1, 2, 15, 2, 16, 7, 1, [46, 47, 48]],
  [2, 0, -18, 4, -16, 4, 1, [54, 55, 56]],
  [2, 0, -18, 4, -15, 29, 0, [55, 56]],
  [2, 0, -16, 4, -14, 4, 1, [52, 53, 54, 55, 56]],
  [2, 0, -16, 4, -13, 29, 0, [53, 54, 55, 56]],
  [2, 0, -16, 29, -15, 29, 0, [56]],
  [2, 0, -13, 30, -8, 28, 1, [48, 49, 50, 51, 52]],
  [2, 0, -12, 3, -8, 28, 0, [47, 48, 49, 50, 51, 52, 53, 54, 55, 56]],
  [2, 0, -12, 4, -8, 29, 0, [47, 48, 49, 50, 51, 52, 53, 54, 55, 56]],
  [2, 0, -9, 4, -6, 29, 0, [46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56]],
  [2, 0, -9, 4, -5, 29, 0, [45]],
  [2, 0, -7, 29, -6, 29, 0, [47, 48, 49, 50, 51, 52, 53, 54, 55, 56]],
  [2, 0, -6, 29, -5, 29, 0, [46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56]],
  [2, 0, -4, 4, -1, 29, 0, [45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56]],
  [2, 0, -2, 29, -1, 29, 0, [45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56]],
  [2, 0, -1, 29, 0, 29, 0, [45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56]],
  [2, 0, 2, 4, 4, 29, 0, [55]],
  [2, 0, 2, 4, 5, 29, 0, [45, 46, 47, 48, 49, 50, 51, 52, 53, 54]],
  [2, 0, 4, 4, 7, 29, 0, [45, 46, 47, 48, 49, 50, 51, 52]],
  [2, 0, 4, 4, 8, 29, 0, [53, 54, 55, 56]],
  [2, 0, 4, 29, 5, 29, 0, [45, 46, 47, 48, 49, 50, 51, 52, 53, 54]],
  [2, 0, 4, 29, 7, 29, 1, [47, 49, 52]],
  [2, 0, 5, 29, 7, 29, 1, [45]],
  [2, 0, 5, 29, 8, 29, 1, [46, 48, 50, 51, 53]],
  [2, 0, 7, 29, 8, 29, 0, [45, 46, 47, 48, 49, 50, 51, 52]],
  [2, 0, 15, 0, 16, 5, 1, [45, 46, 47, 48]],
  [2, 0, 18, 1, 19, 6, 1, [45]],
  [2, 2, -13, 0, -8, 30, 1, [49, 50, 51]],
  [2, 2, -12, 5, -8, 30, 0, [49, 50, 51]],
  [2, 2, -10, 1, -9, 6, 1, [46, 49, 50, 51]],
  [2, 2, -9, 6, -8, 1, 0, [49, 50, 51]],
  [2, 2, -5, 1, -4, 6, 1, [46, 49]],
  [2, 2, -5, 1, -3, 1, 1, [50, 51]],
  [2, 2, -4, 6, -3, 1, 0, [46, 49, 50, 51]],
  [2, 2, 1, 1, 5, 1, 1, [46, 49, 50, 51]],
  [2, 2, 2, 6, 4, 6, 0, [46, 49, 50, 51]],
  [2, 2, 4, 6, 5, 1, 0, [46, 49, 50, 51]],
  [2, 2, 15, 2, 16, 7, 1, [46]],
]

/** Type, step and rotation of the vectors, in the order of the bits that `candidateVectors` returns. */
const VECTORS = [
  ...[43, 44, 45, 46, 46.2, 47, 47.2, 48, 48.2, 49, 49.2, 50, 50.2, 51, 51.2, 52].map(
    (name) => [1, name] as const,
  ),
  ...[45, 46, 46.2, 47, 48, 49, 49.2, 50, 50.2, 51, 51.2, 52, 53, 54, 55, 56].map(
    (name) => [2, name] as const,
  ),
].map(([type, name]) => ({ type, step: Math.floor(name), rotation: name % 1 === 0 ? 0 : 2 }))

interface Pair {
  readonly first: number
  readonly firstBit: number
  readonly second: number
  readonly secondBit: number
  readonly difference: number
}

function conditionsOf({ type, step, rotation }: (typeof VECTORS)[number]): Pair[] {
  return CONDITIONS.filter((row) => row[0] === type && row[1] === rotation && row[7].includes(step)).map(
    (row) => ({
      first: step + row[2],
      firstBit: row[3],
      second: step + row[4],
      secondBit: row[5],
      difference: row[6],
    }),
  )
}

function holds(w: Int32Array, { first, firstBit, second, secondBit, difference }: Pair): boolean {
  return (((w[first]! >>> firstBit) ^ (w[second]! >>> secondBit)) & 1) === difference
}

function randomWords(seed: number): Int32Array {
  return new Int32Array(noise(320, seed).buffer)
}

/** Changes words so that they meet all the conditions: a pair that does not has one side flipped, with all tied to it. */
function meet(w: Int32Array, pairs: readonly Pair[]): void {
  const groups = new Map<number, Set<number>>()
  const groupOf = (word: number, bit: number): Set<number> => {
    const key = 32 * word + bit
    const group = groups.get(key) ?? new Set([key])
    groups.set(key, group)
    return group
  }
  for (const pair of pairs) {
    const first = groupOf(pair.first, pair.firstBit)
    const second = groupOf(pair.second, pair.secondBit)
    if (!holds(w, pair)) {
      if (first === second) throw new Error('the conditions contradict one another')
      for (const key of second) w[key >>> 5]! ^= 1 << (key & 31)
    }
    for (const key of second) {
      first.add(key)
      groups.set(key, first)
    }
  }
}

describe('unavoidable bit conditions', () => {
  it('are 156 pairs of bits in 373 roles', () => {
    expect(CONDITIONS.reduce((sum, row) => sum + row[7].length, 0)).toBe(373)
    const pairs = new Set(
      VECTORS.flatMap((vector) => conditionsOf(vector).map((pair) => JSON.stringify(pair))),
    )
    expect(pairs.size).toBe(156)
  })

  it.each(
    VECTORS.map((vector, index) => [`${vector.type}(${vector.step},${vector.rotation})`, index] as const),
  )('keep vector %s just as long as all of its own hold', (_name, index) => {
    const pairs = conditionsOf(VECTORS[index]!)
    for (let seed = 1; seed <= 20; seed++) {
      const w = randomWords(seed)
      meet(w, pairs)
      expect((candidateVectors(w) >>> index) & 1).toBe(1)
      for (const pair of pairs) {
        const changed = w.slice()
        changed[pair.first]! ^= 1 << pair.firstBit
        expect((candidateVectors(changed) >>> index) & 1).toBe(0)
      }
    }
  })

  it('keep of any words the vectors whose conditions hold', () => {
    for (let seed = 1; seed <= 3000; seed++) {
      const w = randomWords(seed * 7919)
      // Few bits of their own make many conditions hold.
      if (seed % 3 > 0)
        for (let t = 0; t < 80; t++) w[t] = w[t % (1 + (seed % 5))]! ^ (w[t]! & w[(t * 7) % 80]! & w[5]!)
      const expected = VECTORS.reduce(
        (mask, vector, index) =>
          conditionsOf(vector).every((pair) => holds(w, pair)) ? mask | (1 << index) : mask,
        0,
      )
      expect(candidateVectors(w)).toBe(expected)
    }
  })
})
