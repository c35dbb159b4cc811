import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DeltaHeader } from '../../src/delta/delta-header.ts'
import { encodeSize } from './naive-delta.ts'
import { gitError } from '../support/git-error.ts'

const header = new DeltaHeader()
const corrupt = gitError('CORRUPT_DELTA')

describe('DeltaHeader', () => {
  test('reads sizes up to 2^53 and stops at the first instruction', () => {
    const size = fc.oneof(
      fc.maxSafeNat(),
      fc.nat(300),
      fc.constantFrom(127, 128, 16383, 16384, 2 ** 32, 2 ** 49),
    )
    fc.assert(
      fc.property(size, size, fc.nat(5), (base, result, before) => {
        const bytes = Uint8Array.from([
          ...new Array<number>(before).fill(0xff),
          ...encodeSize(base),
          ...encodeSize(result),
          0x80,
        ])
        // As long as the instructions could make that much: the header looks at no byte behind the sizes.
        header.parse(bytes, before, 2 ** 31)
        expect(header).toMatchObject({ baseSize: base, resultSize: result, at: bytes.length - 1 })
      }),
    )
  })

  test.each<readonly [string, readonly number[]]>([
    ['nothing', []],
    ['a base size alone', [5]],
    ['a base size that goes on', [0x85]],
    ['a result size that goes on', [5, 0xff, 0x80]],
    ['a size beyond 2^53', [5, ...encodeSize(2 ** 53)]],
    ['a size of 2^70', [5, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1]],
    ['a size of zero in hundreds of bytes', [...new Array<number>(400).fill(0x80), 0, 0]],
    ['a size of one in hundreds of bytes', [0, 0x81, ...new Array<number>(400).fill(0x80), 0]],
  ])('refuses %s', (_what, bytes) => {
    expect(() => {
      header.parse(Uint8Array.from(bytes), 0, bytes.length)
    }).toThrow(corrupt)
  })

  test('refuses a result that its instructions cannot reach, and no other', () => {
    const most = 2 * 0x800000
    const parse = (size: number): void => {
      header.parse(Uint8Array.from([0, ...encodeSize(size), 0xc0, 0xff]), 0, 3 + encodeSize(size).length)
    }
    expect(() => {
      parse(most + 1)
    }).toThrow(corrupt)
    parse(0xff0000)
    expect(header.resultSize).toBe(0xff0000)
  })

  test('does not read past the given end', () => {
    expect(() => {
      header.parse(Uint8Array.of(0x85, 1, 1), 0, 1)
    }).toThrow(corrupt)
  })
})
