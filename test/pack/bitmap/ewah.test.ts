import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createBits,
  encodeEwah,
  ewahLength,
  hasBit,
  joinEwah,
  setBit,
} from '../../../src/pack/bitmap/ewah.ts'
import { gitError } from '../../support/git-error.ts'

/** Bitmaps with runs of zeros, runs of ones and mixed words, of any length in words of 64 bits. */
const bitmaps = fc
  .array(
    fc.oneof(
      fc.record({ kind: fc.constantFrom('zeros', 'ones'), count: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ kind: fc.constant('mixed'), count: fc.integer({ min: 1, max: 0xfffffffe }) }),
    ),
    { maxLength: 20 },
  )
  .map((parts) => {
    const words = parts.flatMap(({ kind, count }) => {
      if (kind === 'mixed') return [count, count ^ 0x12345678]
      return Array.from({ length: 2 * count }, () => (kind === 'ones' ? 0xffffffff : 0))
    })
    return Uint32Array.from(words)
  })

describe('a compressed bitmap', () => {
  test('is what it was when it is read', () => {
    fc.assert(
      fc.property(bitmaps, (bits) => {
        const read = new Uint32Array(bits.length)
        const encoded = encodeEwah(bits)
        expect(ewahLength(encoded, 0)).toBe(encoded.length)
        joinEwah(encoded, 0, read, 'or')
        expect(read).toEqual(bits)
      }),
    )
  })

  test('joins by OR and by XOR as plain bitmaps do', () => {
    fc.assert(
      fc.property(bitmaps, bitmaps, (left, right) => {
        const size = Math.max(left.length, right.length)
        const padded = (bits: Uint32Array): Uint32Array =>
          Uint32Array.from({ length: size }, (_, k) => bits[k] ?? 0)
        const or = padded(left)
        const xor = padded(left)
        joinEwah(encodeEwah(right), 0, or, 'or')
        joinEwah(encodeEwah(right), 0, xor, 'xor')
        expect(or).toEqual(padded(left).map((word, k) => word | padded(right)[k]!))
        expect(xor).toEqual(padded(left).map((word, k) => word ^ padded(right)[k]!))
      }),
    )
  })

  test('of a long run takes three words', () => {
    const bits = createBits(1_000_000)
    bits.fill(0xffffffff)
    expect(encodeEwah(bits).length).toBe(4 + 4 + 8 + 4)
    const one = createBits(1_000_000)
    setBit(one, 999_999)
    expect(hasBit(one, 999_999)).toBe(true)
    expect(encodeEwah(one).length).toBe(4 + 4 + 16 + 4)
  })

  test('that is cut short or longer than what it is joined to is refused', () => {
    const bits = createBits(640).fill(0x55555555)
    const encoded = encodeEwah(bits)
    for (let length = 0; length < encoded.length; length++) {
      expect(() => {
        joinEwah(encoded.subarray(0, length), 0, createBits(640), 'or')
      }).toThrow()
    }
    expect(() => {
      joinEwah(encoded, 0, createBits(576), 'or')
    }).toThrow(gitError('CORRUPT_INDEX'))
  })
})
