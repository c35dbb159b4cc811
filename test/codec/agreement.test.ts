/** Holds every implementation to node:zlib and node:crypto, byte for byte, on whatever fast-check comes up with. */
import { createHash } from 'node:crypto'
import * as zlib from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createInflate } from '../../src/codec/loops/inflate/inflate.ts'
import { createCrc32 } from '../../src/codec/loops/crc32.ts'
import { updateAdler32 } from '../../src/codec/loops/adler32.ts'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { createPakoCodecs } from '../../src/codec/pako/index.ts'
import { createPortableCodecs } from '../../src/codec/portable/index.ts'
import type { Codecs, Inflate } from '../../src/codec/ports.ts'
import { isGitError } from '../../src/errors.ts'
import { noise, prose } from '../contract/codec-case.ts'
import { adler32 } from '../contract/codec-zlib-writer.ts'

const own = createPortableCodecs()
const foreign = createPakoCodecs()
const node = createNodeCodecs()
const ALL: readonly Codecs[] = [own, foreign, node]

/** Bytes as objects are: short or long, random or repetitive. */
const content = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.tuple(fc.nat({ max: 20_000 }), fc.integer()).map(([length, seed]) => prose(length, seed)),
  fc.tuple(fc.nat({ max: 5000 }), fc.integer()).map(([length, seed]) => noise(length, seed)),
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.nat({ max: 20_000 }))
    .map(([unit, length]) => Uint8Array.from({ length }, (_, at) => unit[at % unit.length]!)),
)

const settings = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  strategy: fc.constantFrom(
    zlib.constants.Z_DEFAULT_STRATEGY,
    zlib.constants.Z_FIXED,
    zlib.constants.Z_HUFFMAN_ONLY,
    zlib.constants.Z_RLE,
  ),
  memLevel: fc.integer({ min: 1, max: 9 }),
  windowBits: fc.integer({ min: 9, max: 15 }),
})

/** What came of one call: output and bytes consumed, or the refusal. */
type Verdict = { readonly output: string; readonly consumed: number } | 'refused'

function verdict(inflate: Inflate, input: Uint8Array, size: number): Verdict {
  const out = new Uint8Array(size)
  try {
    const consumed = inflate.inflateInto(input, 0, input.length, out, 0, size)
    return consumed < 0 ? 'refused' : { output: latin1(out), consumed }
  } catch (error) {
    if (isGitError(error, 'CORRUPT_ZLIB')) return 'refused'
    throw error
  }
}

function zlibVerdict(input: Uint8Array, size: number): Verdict {
  try {
    const result: unknown = zlib.inflateSync(input, { info: true })
    const { buffer, engine } = result as { buffer: Buffer; engine: zlib.Zlib & { bytesWritten: number } }
    return buffer.length === size
      ? { output: buffer.toString('latin1'), consumed: engine.bytesWritten }
      : 'refused'
  } catch {
    return 'refused'
  }
}

/** The verdict of an inflate stream that is given the input in pieces. */
function streamVerdict(inflate: Inflate, input: Uint8Array, size: number, step: number): Verdict {
  const pieces: Uint8Array[] = []
  const running = inflate.stream((piece) => pieces.push(piece.slice()))
  let consumed = 0
  try {
    for (let at = 0; at < input.length; at += step) {
      consumed += running.push(input, at, Math.min(at + step, input.length))
    }
  } catch (error) {
    if (isGitError(error, 'CORRUPT_ZLIB')) return 'refused'
    throw error
  }
  const output = Buffer.concat(pieces)
  return running.done && output.length === size ? { output: output.toString('latin1'), consumed } : 'refused'
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

describe('inflate agrees with node:zlib', () => {
  it('on everything that zlib writes', () => {
    fc.assert(
      fc.property(
        content,
        settings,
        fc.uint8Array({ maxLength: 20 }),
        fc.integer({ min: 1, max: 999 }),
        (bytes, options, behind, step) => {
          const stream = zlib.deflateSync(bytes, options)
          const input = Buffer.concat([stream, behind])
          const expected: Verdict = { output: latin1(bytes), consumed: stream.length }
          for (const { inflate } of ALL) {
            expect(verdict(inflate, input, bytes.length)).toStrictEqual(expected)
            expect(streamVerdict(inflate, input, bytes.length, step)).toStrictEqual(expected)
            expect(latin1(inflate.inflate(stream, bytes.length))).toBe(latin1(bytes))
          }
        },
      ),
      { numRuns: 100 },
    )
  })

  it('on streams that are made of several flushed blocks', () => {
    fc.assert(
      fc.property(fc.array(content, { minLength: 1, maxLength: 4 }), settings, (parts, options) => {
        const stream = Buffer.concat([
          Buffer.of(0x78, 0x9c),
          ...parts.map((part, at) =>
            zlib.deflateRawSync(part, {
              ...options,
              finishFlush: at === parts.length - 1 ? zlib.constants.Z_FINISH : zlib.constants.Z_FULL_FLUSH,
            }),
          ),
          Buffer.alloc(4),
        ])
        const bytes = Buffer.concat(parts)
        stream.writeUInt32BE(adler32(bytes), stream.length - 4)
        const expected: Verdict = { output: bytes.toString('latin1'), consumed: stream.length }
        for (const { inflate } of ALL) expect(verdict(inflate, stream, bytes.length)).toStrictEqual(expected)
      }),
      { numRuns: 50 },
    )
  })

  it('on damage: all of them refuse, or all give the same', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 3,
    })
    fc.assert(
      fc.property(
        content,
        settings,
        damage,
        fc.boolean(),
        fc.integer({ min: 1, max: 99 }),
        (bytes, options, changes, repair, step) => {
          const stream = zlib.deflateSync(bytes, options)
          // The header is left alone: pako holds matches to the window that it declares, zlib does not.
          for (const [at, change] of changes) {
            const index = 2 + (at % (stream.length - 2))
            stream[index] = stream[index]! ^ change
          }
          // A checksum that fits what the damaged data gives lets damage through that is no error as such.
          let size = bytes.length
          if (repair) size = repairChecksum(stream) ?? size
          const expected = zlibVerdict(stream, size)
          for (const { inflate } of ALL) {
            expect(verdict(inflate, stream, size)).toStrictEqual(expected)
            expect(streamVerdict(inflate, stream, size, step)).toStrictEqual(expected)
          }
        },
      ),
      { numRuns: 400 },
    )
  })

  it('on noise behind a good header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat({ max: 600 }), (bytes, size) => {
        const stream = Buffer.concat([Buffer.of(0x78, 0x9c), bytes])
        const expected = zlibVerdict(stream, size)
        for (const { inflate } of ALL) expect(verdict(inflate, stream, size)).toStrictEqual(expected)
      }),
      { numRuns: 700 },
    )
  })

  it('tells a cut stream from a damaged one in the same way, native or not', () => {
    const native = createNodeCodecs().inflate
    const loops = createInflate()
    fc.assert(
      fc.property(fc.nat({ max: 3000 }), fc.integer(), fc.nat(), (length, seed, at) => {
        const stream = zlib.deflateSync(prose(20_000 + length, seed))
        const cut = at % stream.length
        const out = new Uint8Array(20_000 + length)
        expect(native.inflateInto(stream, 0, cut, out, 0, out.length)).toBe(-1)
        expect(loops.inflateInto(stream, 0, cut, out, 0, out.length)).toBe(-1)
      }),
      { numRuns: 50 },
    )
  })
})

/** Inflates without looking at the checksum; if that works, writes the right one and returns the size of the output. */
function repairChecksum(stream: Buffer): number | undefined {
  try {
    const result: unknown = zlib.inflateRawSync(stream.subarray(2), { info: true })
    const { buffer, engine } = result as { buffer: Buffer; engine: { bytesWritten: number } }
    const at = 2 + engine.bytesWritten
    if (at + 4 > stream.length) return undefined
    stream.writeUInt32BE(adler32(buffer), at)
    return buffer.length
  } catch {
    return undefined
  }
}

describe('deflate agrees with node:zlib', () => {
  it('in that zlib reads what it writes, at every level', () => {
    fc.assert(
      fc.property(content, fc.integer({ min: 0, max: 9 }), (bytes, level) => {
        for (const create of [createPortableCodecs, createPakoCodecs, createNodeCodecs]) {
          const stream = create({ level }).deflate.deflate(bytes)
          expect(latin1(zlib.inflateSync(stream))).toBe(latin1(bytes))
          for (const { inflate } of ALL)
            expect(latin1(inflate.inflate(stream, bytes.length))).toBe(latin1(bytes))
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('hashes and checksums agree with node:crypto and node:zlib', () => {
  it('at any length and offset, in one go and running', () => {
    fc.assert(
      fc.property(content, fc.nat({ max: 70 }), fc.integer({ min: 1, max: 300 }), (bytes, from, step) => {
        const start = Math.min(from, bytes.length)
        for (const codecs of ALL) {
          for (const hash of [codecs.sha1, codecs.sha256]) {
            const expected = createHash(hash.name).update(bytes.subarray(start)).digest('binary')
            const out = new Uint8Array(hash.length)
            hash.digestRangeInto(bytes, start, bytes.length, out, 0)
            expect(latin1(out)).toBe(expected)
            const running = hash.create()
            for (let at = start; at < bytes.length; at += step) {
              running.update(bytes, at, Math.min(at + step, bytes.length))
            }
            running.digestInto(out, 0)
            expect(latin1(out)).toBe(expected)
          }
        }
      }),
      { numRuns: 200 },
    )
  })

  it('for CRC-32, from any value', () => {
    const loops = createCrc32()
    fc.assert(
      fc.property(content, fc.nat({ max: 0xffffffff }), fc.nat({ max: 20 }), (bytes, crc, from) => {
        const start = Math.min(from, bytes.length)
        // zlib takes no bytes for a request for the initial value, whatever the checksum so far.
        const expected = start === bytes.length ? crc : zlib.crc32(bytes.subarray(start), crc)
        expect(loops.update(crc, bytes, start, bytes.length)).toBe(expected)
        expect(node.crc32.update(crc, bytes, start, bytes.length)).toBe(expected)
      }),
    )
  })

  it('for Adler-32, whose sums stay exact over the worst input', () => {
    for (const bytes of [new Uint8Array(100_000).fill(255), noise(70_001), prose(12_345)]) {
      expect(updateAdler32(1, bytes, 0, bytes.length) >>> 0).toBe(adler32(bytes))
      expect(updateAdler32(updateAdler32(1, bytes, 0, 4321), bytes, 4321, bytes.length) >>> 0).toBe(
        adler32(bytes),
      )
    }
  })
})
