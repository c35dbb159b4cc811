import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodePackHeader, parsePackHeader } from '../../src/pack/pack-header.ts'
import { gitError } from '../support/git-error.ts'

test('any count of 32 bits reads back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffffffff }), (count) => {
      expect(parsePackHeader(encodePackHeader(count))).toBe(count)
    }),
  )
})

test('version 3 is read, others are named and refused', () => {
  const header = encodePackHeader(7)
  header[7] = 3
  expect(parsePackHeader(header)).toBe(7)
  header[7] = 4
  expect(() => parsePackHeader(header)).toThrow(gitError('UNSUPPORTED', 'version 4'))
})

test('a wrong signature and every short header are refused', () => {
  const header = encodePackHeader(7)
  for (let end = 0; end < 12; end++) {
    expect(() => parsePackHeader(header.subarray(0, end))).toThrow(gitError('CORRUPT_PACK'))
  }
  header[0] = 0x51
  expect(() => parsePackHeader(header)).toThrow(gitError('CORRUPT_PACK'))
})
