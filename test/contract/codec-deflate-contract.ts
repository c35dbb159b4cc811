import type { Codecs } from '../../src/codec/ports.ts'
import { assertSame, assertSameBytes, assertThrows, type CodecCase, noise, prose } from './codec-case.ts'

const INPUTS: readonly (readonly [name: string, make: () => Uint8Array])[] = [
  ['nothing', () => new Uint8Array(0)],
  ['one byte', () => Uint8Array.of(7)],
  ['a few bytes', () => prose(60)],
  ['text', () => prose(20_000)],
  ['noise', () => noise(20_000)],
  ['zeros', () => new Uint8Array(300_000)],
  ['much text', () => prose(700_000)],
  ['much noise', () => noise(400_000)],
]

export const deflateCases: readonly CodecCase[] = [
  {
    name: 'what deflate writes, inflate reads',
    run({ deflate, inflate }: Codecs): void {
      for (const [name, make] of INPUTS) {
        const input = make()
        const stream = deflate.deflate(input)
        assertSameBytes(inflate.inflate(stream, input.length), input, name)
        const out = new Uint8Array(input.length)
        assertSame(inflate.inflateInto(stream, 0, stream.length, out, 0, out.length), stream.length, name)
        assertSameBytes(out, input, name)
      }
    },
  },
  {
    name: 'deflate takes just its range, wherever it lies',
    run({ deflate, inflate }: Codecs): void {
      const input = prose(5000)
      for (const [start, end] of [
        [0, 5000],
        [1, 4999],
        [13, 13],
        [7, 1007],
      ] as const) {
        const stream = deflate.deflate(input, start, end)
        assertSameBytes(inflate.inflate(stream, 5000), input.slice(start, end), `${start} to ${end}`)
      }
      assertSameBytes(inflate.inflate(deflate.deflate(input.subarray(3), 2), 5000), input.slice(5), 'a view')
    },
  },
  {
    name: 'deflate hands out arrays of their own, no longer than need be',
    run({ deflate }: Codecs): void {
      const first = deflate.deflate(prose(50))
      const copy = first.slice()
      deflate.deflate(noise(50))
      assertSameBytes(first, copy, 'the first after the second')
      if (first.buffer.byteLength > 1024)
        throw new Error(`${first.length} bytes keep ${first.buffer.byteLength} alive`)
    },
  },
  {
    name: 'deflate makes text smaller and noise hardly larger',
    run({ deflate }: Codecs): void {
      const text = prose(100_000)
      if (deflate.deflate(text).length > 0.8 * text.length) throw new Error('text does not get smaller')
      if (deflate.deflate(noise(100_000)).length > 100_200) throw new Error('noise gets larger')
      if (deflate.deflate(new Uint8Array(1_000_000)).length > 5000) throw new Error('zeros stay large')
    },
  },
  {
    name: 'deflate refuses ranges that do not lie within their arrays',
    run({ deflate }: Codecs): void {
      for (const [start, end] of [
        [-1, 5],
        [6, 5],
        [0, 11],
      ] as const) {
        assertThrows('INVALID_ARGUMENT', () => deflate.deflate(noise(10), start, end), `${start} to ${end}`)
      }
    },
  },
]
