import { inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createDeflate } from '../../src/codec/loops/deflate/deflate.ts'
import { createInflate } from '../../src/codec/loops/inflate/inflate.ts'
import { createPakoDeflate } from '../../src/codec/pako/pako-deflate.ts'
import type { Deflate } from '../../src/codec/ports.ts'
import { createRandom, randomLines, type Random } from '../support/random.ts'

const LEVELS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const

const KINDS: Readonly<Record<string, (random: Random, size: number) => Uint8Array>> = {
  text: (random, size) => new TextEncoder().encode(randomLines(random, 1 + (size >> 5)).join('\n')),
  noise: (random, size) => random.bytes(size),
  'few symbols': (random, size) => random.bytes(size).map((byte) => byte & 3),
  'one symbol': (random, size) => new Uint8Array(size).fill(random.below(256)),
  'noise with repetitions': (random, size) => {
    const bytes = random.bytes(size)
    for (let at = 300; at + 40 < size; at += 100 + random.below(500)) {
      bytes.copyWithin(at, random.below(at), random.below(at) + 40)
    }
    return bytes
  },
  // Frequencies that make a code as long as codes can be, and longer if nobody held it back.
  'symbols each half as often as the next': (random, size) => {
    const bytes = new Uint8Array(size)
    for (let at = 0; at < size; at++) {
      let symbol = 0
      while (symbol < 24 && random.chance(0.5)) symbol++
      bytes[at] = symbol * 7
    }
    return bytes
  },
}

function assertDeflates(deflate: Deflate, input: Uint8Array): number {
  const deflated = deflate.deflate(input)
  // Not compared by expect: nothing that prints megabytes when it fails.
  expect(Buffer.compare(inflateSync(deflated), input)).toBe(0)
  const own = createInflate().inflate(deflated, input.length)
  expect(Buffer.compare(own, input)).toBe(0)
  return deflated.length
}

describe.each(Object.entries(KINDS))('deflating %s', (kind, make) => {
  test('makes streams that zlib and our own inflate read, at every level and size', () => {
    const loops = LEVELS.map((level) => createDeflate(level))
    fc.assert(
      fc.property(fc.nat(), fc.nat(3000), fc.constantFrom(...loops), (seed, size, loop) => {
        assertDeflates(loop, make(createRandom(seed), size))
      }),
      { numRuns: 200 },
    )
  })

  test('makes streams of many blocks and beyond the window', () => {
    const input = make(createRandom(3), 300_000)
    for (const level of [0, 1, 6, 9] as const) assertDeflates(createDeflate(level), input)
  })

  test('makes streams hardly longer than zlib does, at the default level', () => {
    const deflate = createDeflate(6)
    let own = 0
    let zlib = 0
    for (const size of [0, 10, 30, 60, 100, 200, 500, 1000, 5000, 40_000, 200_000]) {
      for (let seed = 0; seed < 5; seed++) {
        const input = make(createRandom(seed), size)
        own += deflate.deflate(input).length
        // pako's streams are those of the original zlib; the one that Node has does not look for matches of three bytes.
        zlib += createPakoDeflate(6).deflate(input).length
      }
    }
    // Where all symbols are short, matches of three bytes do not pay, and who finds none is better off.
    const allowed = kind.startsWith('symbols') ? 1.03 : 1.01
    expect(own).toBeLessThanOrEqual(allowed * zlib + 55)
  })
})

test('what earlier calls left in the tables changes nothing, also when counting starts over', () => {
  const random = createRandom(5)
  const reused = createDeflate(6, 20_000)
  for (let round = 0; round < 200; round++) {
    const make = random.pick(Object.values(KINDS))
    const input = make(random, random.below(3000))
    assertDeflates(reused, input)
    const fresh = createDeflate(6).deflate(input)
    expect(Buffer.compare(reused.deflate(input), fresh)).toBe(0)
  }
})

test('only the range is deflated, and the input stays as it is', () => {
  const bytes = createRandom(1).bytes(1000)
  const copy = bytes.slice()
  const deflate = createDeflate(6)
  for (const [start, end] of [
    [0, 0],
    [10, 11],
    [100, 900],
  ] as const) {
    expect(new Uint8Array(inflateSync(deflate.deflate(bytes, start, end)))).toEqual(copy.slice(start, end))
  }
  expect(bytes).toEqual(copy)
  expect(() => deflate.deflate(bytes, 5, 1001)).toThrow()
})

test('level 0 stores the bytes as they are', () => {
  // In blocks of 65535 bytes at most, each behind five bytes of its own.
  expect(createDeflate(0).deflate(new Uint8Array(200_000)).length).toBe(2 + 4 * 5 + 200_000 + 4)
})
