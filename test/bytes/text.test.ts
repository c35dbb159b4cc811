import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeLatin1, decodeUtf8, encodeLatin1, encodeUtf8 } from '../../src/bytes/text.ts'

test('latin1 gives every byte back, over its piece length too', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const text = decodeLatin1(bytes)
      expect(text).toBe(Buffer.from(bytes).toString('latin1'))
      expect(encodeLatin1(text)).toEqual(bytes)
    }),
  )
  for (const length of [4095, 4096, 4097, 8192, 10_000]) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 7) & 0xff)
    expect(encodeLatin1(decodeLatin1(bytes))).toEqual(bytes)
  }
})

test('latin1 decodes a range and nothing beside it', () => {
  const bytes = Uint8Array.from({ length: 9000 }, (_, at) => at & 0xff)
  expect(decodeLatin1(bytes, 1, 5000)).toBe(Buffer.from(bytes.subarray(1, 5000)).toString('latin1'))
  expect(decodeLatin1(bytes, 7, 7)).toBe('')
})

test('utf-8 round trips text, byte order mark included', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(decodeUtf8(encodeUtf8(text))).toBe(text)
    }),
  )
  expect(decodeUtf8(encodeUtf8('\ufeffmark'))).toBe('\ufeffmark')
})

test('malformed utf-8 decodes to replacement characters and never throws', () => {
  expect(decodeUtf8(new Uint8Array([0x61, 0xff, 0x62]))).toBe('a\ufffdb')
})
