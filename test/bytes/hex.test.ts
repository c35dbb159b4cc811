import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeHex, hexDigit, parseHex } from '../../src/bytes/hex.ts'
import { gitError } from '../support/git-error.ts'

describe('hex', () => {
  test('encodes as node does, any range', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(64), fc.nat(64), (bytes, a, b) => {
        const start = Math.min(a, b, bytes.length)
        const end = Math.min(Math.max(a, b), bytes.length)
        expect(encodeHex(bytes, start, end)).toBe(Buffer.from(bytes.subarray(start, end)).toString('hex'))
        expect(encodeHex(bytes)).toBe(Buffer.from(bytes).toString('hex'))
      }),
    )
  })

  test('parses back what it encoded, in both cases', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(parseHex(encodeHex(bytes))).toEqual(bytes)
        expect(parseHex(encodeHex(bytes).toUpperCase())).toEqual(bytes)
      }),
    )
  })

  test('knows every digit and nothing else', () => {
    for (let code = -1; code < 300; code++) {
      const digit = code < 0 ? '' : String.fromCharCode(code)
      expect(hexDigit(code)).toBe(/^[0-9a-fA-F]$/.test(digit) ? parseInt(digit, 16) : -1)
    }
  })

  test.each(['0', 'abc', 'g0', '0g', '0x', ' 0', '0\n', '00 ', 'é0', '00ÿÿ', '⁰⁰'])('refuses %j', (text) => {
    expect(() => parseHex(text)).toThrow(gitError('INVALID_ID'))
  })
})
