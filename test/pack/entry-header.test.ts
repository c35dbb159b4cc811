import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  encodeBaseDistance,
  encodeEntryHeader,
  EntryHeader,
  MAX_ENTRY_HEADER,
  OFS_DELTA,
  REF_DELTA,
  type EntryType,
} from '../../src/pack/entry-header.ts'
import { rawDistance, rawEntryHeader } from './raw-entries.ts'
import { gitError } from '../support/git-error.ts'

const header = new EntryHeader()
const corrupt = gitError('CORRUPT_PACK')

/** Numbers around every power of two and every border of the offset encoding, and any others. */
const borders = [
  ...Array.from({ length: 53 }, (_, bits) => 2 ** bits),
  ...Array.from({ length: 7 }, (_, bytes) => (128 ** (bytes + 2) - 128) / 127),
]
const numbers = fc
  .oneof(
    fc.tuple(fc.constantFrom(...borders), fc.integer({ min: -2, max: 2 })).map(([near, by]) => near + by),
    fc.maxSafeNat(),
    fc.nat(5000),
  )
  .filter((value) => value >= 0 && value <= Number.MAX_SAFE_INTEGER)
const type = fc.constantFrom<EntryType>(1, 2, 3, 4, OFS_DELTA, REF_DELTA)

function encode(entry: EntryType, size: number, distance: number, id: Uint8Array): Uint8Array {
  const out = new Uint8Array(100)
  let at = encodeEntryHeader(entry, size, out, 0)
  if (entry === OFS_DELTA) at = encodeBaseDistance(distance, out, at)
  if (entry === REF_DELTA) {
    out.set(id, at)
    at += id.length
  }
  return out.slice(0, at)
}

describe('entry headers', () => {
  test('read back what was written, for every type, size and distance', () => {
    const id = fc
      .constantFrom(20, 32)
      .chain((length) => fc.uint8Array({ minLength: length, maxLength: length }))
    fc.assert(
      fc.property(type, numbers, numbers, id, fc.nat(5), (entry, size, distance, base, before) => {
        const encoded = encode(entry, size, distance + 1, base)
        const bytes = Buffer.concat([Buffer.alloc(before, 0xff), encoded, Buffer.alloc(3, 0xff)])
        expect(encoded.length).toBeLessThanOrEqual(MAX_ENTRY_HEADER)
        fc.pre(distance < Number.MAX_SAFE_INTEGER)
        expect(header.parse(bytes, before, bytes.length, base.length)).toBe(true)
        expect(header).toMatchObject({ type: entry, size, dataAt: before + encoded.length })
        if (entry === OFS_DELTA) expect(header.baseDistance).toBe(distance + 1)
        if (entry === REF_DELTA) {
          expect(bytes.subarray(header.baseIdAt, header.baseIdAt + base.length).equals(base)).toBe(true)
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('are written as the format says', () => {
    fc.assert(
      fc.property(type, numbers, (entry, number) => {
        expect(Buffer.from(encode(entry, number, 1, new Uint8Array(0))).subarray(0, 10)).toEqual(
          Buffer.concat([rawEntryHeader(entry, number), entry === OFS_DELTA ? Buffer.of(1) : Buffer.of()]),
        )
        const out = new Uint8Array(20)
        const end = encodeBaseDistance(number, out, 0)
        expect(Buffer.from(out.subarray(0, end))).toEqual(rawDistance(number))
      }),
    )
  })

  test('cut short anywhere are not parsed and not refused', () => {
    fc.assert(
      fc.property(type, numbers, numbers, (entry, size, distance) => {
        fc.pre(distance > 0)
        const bytes = encode(entry, size, distance, new Uint8Array(20).fill(7))
        for (let end = 0; end < bytes.length; end++) expect(header.parse(bytes, 0, end, 20)).toBe(false)
      }),
    )
  })

  test.each([0, 5])('of the unknown type %i are refused', (unknown) => {
    expect(() => header.parse(rawEntryHeader(unknown, 3), 0, 1, 20)).toThrow(corrupt)
  })

  test('of a delta on itself are refused', () => {
    const bytes = Buffer.concat([rawEntryHeader(OFS_DELTA, 3), rawDistance(0)])
    expect(() => header.parse(bytes, 0, bytes.length, 20)).toThrow(corrupt)
  })

  test('with sizes and distances beyond 2^53 are refused', () => {
    const size = rawEntryHeader(3, 2 ** 53)
    expect(() => header.parse(size, 0, size.length, 20)).toThrow(corrupt)
    const distance = Buffer.concat([rawEntryHeader(OFS_DELTA, 3), rawDistance(2 ** 53)])
    expect(() => header.parse(distance, 0, distance.length, 20)).toThrow(corrupt)
    const endless = Buffer.concat([rawEntryHeader(OFS_DELTA, 3), Buffer.alloc(400, 0xff), Buffer.of(0)])
    expect(() => header.parse(endless, 0, endless.length, 20)).toThrow(corrupt)
  })

  test('with a size longer than necessary are read up to ten bytes, as git does, and refused beyond', () => {
    const longest = rawEntryHeader(3, 5, 9)
    expect(header.parse(longest, 0, longest.length, 20)).toBe(true)
    expect(header).toMatchObject({ size: 5, dataAt: 10 })
    for (const padding of [10, 100, 146, 147, 300, 1000]) {
      const bytes = rawEntryHeader(3, 5, padding)
      expect(() => header.parse(bytes, 0, bytes.length, 20)).toThrow(corrupt)
    }
  })
})
