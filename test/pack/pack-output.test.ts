import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { objectFormat } from '../../src/object/object-format.ts'
import { unwrapFrames } from '../../src/odb/framing.ts'
import { PackOutput, type OutputFraming } from '../../src/pack/pack-output.ts'

const format = objectFormat('sha1', createNodeCodecs())

/** Sizes around those at which output is handed on, and small ones. */
const lengths = fc.array(
  fc.oneof(fc.nat(40), fc.nat(5000), fc.integer({ min: 65_480, max: 65_560 }), fc.nat(600_000)),
  { maxLength: 12 },
)

function write(sizes: readonly number[], output: PackOutput): { put: Buffer; got: Buffer[] } {
  const got: Buffer[] = []
  const put = sizes.map((size, at) => Buffer.alloc(size, at + 1))
  for (const [at, piece] of put.entries()) {
    const before = output.total
    if (at % 3 === 2) output.appendOwned(Uint8Array.from(piece))
    else output.append(Buffer.concat([Buffer.from('in front'), piece]), 8, 8 + piece.length)
    expect(output.total).toBe(before + piece.length)
    got.push(...output.ready.splice(0).map((chunk) => Buffer.from(chunk)))
  }
  output.finish()
  got.push(...output.ready.map((chunk) => Buffer.from(chunk)))
  return { put: Buffer.concat(put), got }
}

function withChecksum(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, createHash('sha1').update(bytes).digest()])
}

test('what is put in comes out, with its checksum behind it', () => {
  fc.assert(
    fc.property(lengths, (sizes) => {
      const { put, got } = write(sizes, new PackOutput(format))
      expect(Buffer.concat(got).equals(withChecksum(put))).toBe(true)
      expect(got.every(({ length }) => length > 0)).toBe(true)
    }),
    { numRuns: 60 },
  )
})

test('in frames the same comes out, each of them full but the last, and no piece ends within one', () => {
  const every = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constantFrom(995, 65_515))
  const small = fc.array(fc.nat(90), { maxLength: 12 })
  fc.assert(
    fc.property(every, small, lengths, (frame, few, many) => {
      const framing: OutputFraming = {
        every: frame,
        gap: 3,
        writeHeader(out, at, length) {
          out.set([0xee, length >> 8, length & 255], at)
        },
      }
      const { put, got } = write(frame < 900 ? few : many, new PackOutput(format, framing))
      const whole = withChecksum(put)
      expect(Buffer.concat(got.flatMap((piece) => [...unwrapFrames(piece, framing)])).equals(whole)).toBe(
        true,
      )
      const headers = got.flatMap((piece) => {
        const found: number[] = []
        for (let at = 0; at < piece.length; at += frame + 3) {
          expect(piece[at]).toBe(0xee)
          found.push(piece.readUInt16BE(at + 1))
        }
        return found
      })
      const last = headers.pop()
      expect(headers.every((length) => length === frame)).toBe(true)
      expect(headers.length * frame + (last ?? 0)).toBe(whole.length)
    }),
    { numRuns: 100 },
  )
})
