import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyDelta } from '../../src/delta/apply-delta.ts'
import { createRandom } from '../support/random.ts'
import { encodeInstructions, evaluate, randomInstructions, type Instruction } from './naive-delta.ts'
import { gitError } from '../support/git-error.ts'

/** Applies with delta, base and result in arrays of their own. */
function applyApart(delta: Uint8Array, base: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size)
  applyDelta(delta, 0, delta.length, base, 0, base.length, out, 0, size)
  return out
}

/** Which of delta, base and result share one array. */
const SHARINGS = ['none', 'base and result', 'delta and result', 'all'] as const

/** Applies within arrays that have guard bytes everywhere; throws when a byte outside the result changed. */
function applyShared(
  sharing: (typeof SHARINGS)[number],
  delta: Uint8Array,
  base: Uint8Array,
  size: number,
): Uint8Array {
  const guard = 40
  const baseAt = guard
  const deltaAt = baseAt + base.length + guard
  const outAt = deltaAt + delta.length + guard
  const make = (): Uint8Array => {
    const arena = new Uint8Array(outAt + size + guard).fill(0xa5)
    arena.set(base, baseAt)
    arena.set(delta, deltaAt)
    return arena
  }
  const out = make()
  const baseIn = sharing === 'base and result' || sharing === 'all' ? out : make()
  const deltaIn = sharing === 'delta and result' || sharing === 'all' ? out : make()
  try {
    applyDelta(deltaIn, deltaAt, deltaAt + delta.length, baseIn, baseAt, base.length, out, outAt, size)
  } finally {
    const untouched = make()
    for (const arena of [out, baseIn, deltaIn]) {
      expect(Buffer.compare(arena.subarray(0, outAt), untouched.subarray(0, outAt))).toBe(0)
      expect(Buffer.compare(arena.subarray(outAt + size), untouched.subarray(outAt + size))).toBe(0)
    }
  }
  return out.slice(outAt, outAt + size)
}

describe('applyDelta', () => {
  test('makes what the instructions say, wherever the three ranges lie', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(70_000), fc.integer({ min: 0, max: 12 }), (seed, baseSize, count) => {
        const random = createRandom(seed)
        const base = random.bytes(baseSize)
        const instructions = randomInstructions(random, baseSize, count)
        const delta = encodeInstructions(instructions)
        const expected = evaluate(base, instructions)
        for (const sharing of SHARINGS) {
          const result = applyShared(sharing, delta, base, expected.length)
          expect(Buffer.compare(result, expected), sharing).toBe(0)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('a copy of size zero copies 0x10000 bytes', () => {
    const base = createRandom(1).bytes(0x10000 + 3)
    expect(Buffer.compare(applyApart(Uint8Array.of(0x80), base, 0x10000), base.subarray(0, 0x10000))).toBe(0)
    const shifted = applyApart(Uint8Array.of(0x81, 3), base, 0x10000)
    expect(Buffer.compare(shifted, base.subarray(3))).toBe(0)
  })

  test('copies from beyond 16 MiB, with the longest size an instruction can name', () => {
    const base = new Uint8Array(0x1000000 + 0x1000005)
    base.set(createRandom(2).bytes(64), 0x1000000)
    base.set(createRandom(3).bytes(64), 0x2000005 - 64)
    const instructions: Instruction[] = [
      { kind: 'copy', offset: 0x1000000, size: 33 },
      { kind: 'copy', offset: 0x1000006, size: 0xffffff },
      { kind: 'copy', offset: 0x2000004, size: 1 },
    ]
    const expected = evaluate(base, instructions)
    expect(
      Buffer.compare(applyApart(encodeInstructions(instructions), base, expected.length), expected),
    ).toBe(0)
  })

  test('an offset with its top bit set is a large number, not a negative one', () => {
    const delta = Uint8Array.of(0x88 | 0x10, 0xff, 1)
    expect(() => applyApart(delta, new Uint8Array(100), 1)).toThrow(gitError('CORRUPT_DELTA'))
  })

  test.each<readonly [string, readonly number[], number, number]>([
    ['the reserved instruction', [0], 10, 0],
    ['the reserved instruction after others', [1, 65, 0], 10, 1],
    ['an insert that is cut short', [5, 65, 65], 10, 5],
    ['a longest insert that is cut short', [127], 10, 127],
    ['an insert longer than the result', [3, 65, 65, 65], 10, 2],
    ['a copy from outside the base', [0x91, 10, 1], 10, 1],
    ['a copy that ends outside the base', [0x91, 5, 6], 10, 6],
    ['a copy longer than the result', [0x90, 5], 10, 4],
    ['a copy of 0x10000 from a small base', [0x80], 10, 10],
    ['a copy whose offset is cut short', [0x91], 10, 1],
    ['a copy whose size is cut short', [0xff, 0, 0, 0, 0, 1], 10, 1],
    ['a copy of which all but the opcode is cut off', [0xff], 10, 1],
    ['too few bytes', [2, 65, 65], 10, 3],
    ['no instructions for a result', [], 10, 1],
    ['instructions for an empty result', [1, 65], 10, 0],
  ])('refuses %s, and writes nothing beside the result', (_what, bytes, baseSize, resultSize) => {
    const delta = Uint8Array.from(bytes)
    for (const sharing of SHARINGS) {
      expect(() => applyShared(sharing, delta, new Uint8Array(baseSize), resultSize)).toThrow(
        gitError('CORRUPT_DELTA'),
      )
    }
  })

  test('any bytes at all apply or are refused with CORRUPT_DELTA, and nothing beside the result is written', () => {
    const size = fc.integer({ min: 0, max: 40 })
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 24 }),
        size,
        size,
        fc.nat(3),
        (delta, baseSize, resultSize, way) => {
          const base = Uint8Array.from({ length: baseSize }, (_, at) => at)
          try {
            applyShared(SHARINGS[way]!, delta, base, resultSize)
          } catch (error) {
            expect(error).toMatchObject({ code: 'CORRUPT_DELTA' })
          }
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('a changed byte of a good delta is refused or applies within the result', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(), fc.integer({ min: 1, max: 255 }), (seed, where, change) => {
        const random = createRandom(seed)
        const base = random.bytes(1 + random.below(500))
        const instructions = randomInstructions(random, base.length, 6)
        const delta = encodeInstructions(instructions).slice()
        delta[where % delta.length]! ^= change
        try {
          applyShared(SHARINGS[seed & 3]!, delta, base, evaluate(base, instructions).length)
        } catch (error) {
          expect(error).toMatchObject({ code: 'CORRUPT_DELTA' })
        }
      }),
      { numRuns: 500 },
    )
  })
})
