import { concatBytes } from '../../src/bytes/concat.ts'
import type { Codecs, Inflate } from '../../src/codec/ports.ts'
import { assertSame, assertSameBytes, assertThrows, type CodecCase, noise, prose } from './codec-case.ts'
import { expandSymbols, type Symbol, ZlibWriter } from './codec-zlib-writer.ts'

interface Sample {
  readonly name: string
  readonly stream: Uint8Array
  readonly output: Uint8Array
}

/** Lengths that complete a code: symbol `first` gets one bit, the next two, and so on; the last two share the longest. */
function staircase(count: number, symbols: readonly number[]): number[] {
  const lengths = new Array<number>(count).fill(0)
  symbols.forEach((symbol, index) => {
    lengths[symbol] = Math.min(index + 1, symbols.length - 1)
  })
  return lengths
}

function handmade(
  name: string,
  symbols: readonly Symbol[],
  write: (writer: ZlibWriter) => ZlibWriter,
): Sample {
  const output = expandSymbols(symbols)
  return { name, output, stream: write(new ZlibWriter()).end(output) }
}

function literals(bytes: Uint8Array): number[] {
  return [...bytes]
}

/** Symbols that use every length, and distances near and far of every code. */
function farMatches(): Symbol[] {
  const symbols: Symbol[] = literals(noise(40_000))
  for (let length = 3; length <= 258; length++)
    symbols.push({ length, distance: 1 + ((length * 127) % 32768) })
  for (let distance = 1; distance < 32768; distance += 1 + (distance >> 3))
    symbols.push({ length: 5, distance })
  for (const distance of [1, 2, 3, 4, 7, 8, 15, 16, 17, 255, 257, 258, 259, 24576, 24577, 32767, 32768]) {
    for (const length of [3, 4, 15, 16, 17, 100, 257, 258]) symbols.push({ length, distance }, 42)
  }
  return symbols
}

function samples(): Sample[] {
  const nothing = new Uint8Array(0)
  const text = prose(3000)
  const mixed: Symbol[] = [104, 105, 33, { length: 9, distance: 3 }, { length: 258, distance: 1 }, 10]
  const steps = staircase(286, [97, 98, 99, 256, 257, 258, 265, 285, 284, 100, 101, 102, 103, 104, 105, 106])
  const far = staircase(30, [0, 1, 2, 3, 4, 9, 10, 15, 20, 21, 25, 26, 27, 28, 29, 5])
  const climbing: Symbol[] = [
    ...literals(Uint8Array.of(97, 98, 99, 100, 101, 102, 103, 104, 105, 106)),
    { length: 3, distance: 1 },
    { length: 258, distance: 2 },
    ...Array.from({ length: 130 }, () => ({ length: 258, distance: 4 })),
    { length: 227, distance: 24577 },
    { length: 257, distance: 32768 },
    { length: 11, distance: 7 },
  ]
  return [
    handmade('nothing, stored', [], (writer) => writer.stored(nothing, true)),
    handmade('nothing, fixed', [], (writer) => writer.fixed([], true)),
    handmade('one byte, fixed', [200], (writer) => writer.fixed([200], true)),
    handmade('stored', literals(noise(600)), (writer) => writer.stored(noise(600), true)),
    handmade('stored, of the greatest length', literals(noise(65535)), (writer) =>
      writer.stored(noise(65535), true),
    ),
    handmade('fixed', mixed, (writer) => writer.fixed(mixed, true)),
    handmade(
      'fixed, every literal',
      literals(Uint8Array.from({ length: 256 }, (_, byte) => byte)),
      (writer) => writer.fixed(literals(Uint8Array.from({ length: 256 }, (_, byte) => byte)), true),
    ),
    handmade('dynamic, codes of 1 to 15 bits', climbing, (writer) =>
      writer.dynamic({ literals: steps, distances: far }, climbing, true),
    ),
    handmade('dynamic, no distance code', literals(Uint8Array.of(97, 98, 97)), (writer) =>
      writer.dynamic({ literals: staircase(257, [97, 98, 256]), distances: [0] }, [97, 98, 97], true),
    ),
    handmade('dynamic, one distance code', [97, { length: 3, distance: 1 }], (writer) =>
      writer.dynamic(
        { literals: staircase(258, [97, 257, 256]), distances: [1] },
        [97, { length: 3, distance: 1 }],
        true,
      ),
    ),
    handmade('dynamic, nothing but its end', [], (writer) =>
      writer.dynamic({ literals: staircase(257, [256, 256]), distances: [0] }, [], true),
    ),
    handmade('far matches', farMatches(), (writer) => writer.fixed(farMatches(), true)),
    handmade(
      'blocks of every kind in turn',
      [...literals(text), ...mixed, ...mixed, ...literals(text), 97],
      (writer) =>
        writer
          .fixed([], false)
          .stored(text, false)
          .fixed(mixed, false)
          .stored(nothing, false)
          .fixed(mixed, false)
          .stored(text, false)
          .dynamic({ literals: staircase(257, [97, 98, 256]), distances: [0] }, [97], true),
    ),
  ]
}

/** Damaged in ways that only a careful reader notices, each with what it would have produced. */
function damaged(): Sample[] {
  const output = Uint8Array.of(97, 97, 97, 97)
  const end = (name: string, writer: ZlibWriter): Sample => ({ name, output, stream: writer.end(output) })
  const run: Symbol[] = [97, { length: 3, distance: 1 }]
  const ab = staircase(257, [97, 98, 256])
  const full = new Array<number>(30).fill(0)
  return [
    end('a header that does not check', new ZlibWriter([0x78, 0x9d]).fixed(run, true)),
    end('a compression method other than deflate', new ZlibWriter([0x77, 0x85]).fixed(run, true)),
    end('a window that is too large', new ZlibWriter([0x88, 0x1c]).fixed(run, true)),
    end('a preset dictionary', new ZlibWriter([0x78, 0xbb]).fixed(run, true)),
    end('a block type that does not exist', new ZlibWriter().bits(7, 3)),
    end('a stored length without its complement', new ZlibWriter().stored(output, true, 4)),
    end(
      'a length symbol of the fixed code that means nothing',
      new ZlibWriter().bits(3, 3).code(0b11000110, 8),
    ),
    end(
      'a distance symbol that means nothing',
      new ZlibWriter().bits(3, 3).code(145, 8).code(1, 7).code(30, 5),
    ),
    end('a match before the beginning', new ZlibWriter().fixed([97, { length: 3, distance: 2 }], true)),
    end('a match at the very beginning', new ZlibWriter().fixed([{ length: 4, distance: 1 }], true)),
    end('287 literal and length codes', new ZlibWriter().bits(5, 3).bits(30, 5).bits(0, 5).bits(15, 4)),
    end('31 distance codes', new ZlibWriter().bits(5, 3).bits(29, 5).bits(30, 5).bits(15, 4)),
    end(
      'an over-subscribed code',
      new ZlibWriter().dynamic(
        { literals: ab.map((length) => Math.min(length, 1)), distances: [0] },
        [],
        true,
      ),
    ),
    end(
      'an incomplete code',
      new ZlibWriter().dynamic(
        { literals: ab.map((length) => (length > 0 ? 3 : 0)), distances: [0] },
        [],
        true,
      ),
    ),
    end(
      'an incomplete distance code',
      new ZlibWriter().dynamic({ literals: ab, distances: [2, 2, 2] }, [], true),
    ),
    end(
      'no code for the end of the block',
      new ZlibWriter().dynamic({ literals: staircase(257, [97, 98, 99]), distances: [0] }, [], true),
    ),
    end(
      'an incomplete code length code',
      new ZlibWriter().bits(5, 3).bits(0, 5).bits(0, 5).bits(0, 4).bits(1, 3).bits(0, 9).bits(0, 40),
    ),
    end(
      'a repeat before the first code length',
      new ZlibWriter()
        .bits(5, 3)
        .bits(0, 5)
        .bits(0, 5)
        .bits(0, 4)
        .bits(1, 3)
        .bits(1, 3)
        .bits(0, 6)
        .bits(0, 40),
    ),
    end(
      'a repeat past the last code length',
      new ZlibWriter()
        .bits(5, 3)
        .bits(0, 5)
        .bits(0, 5)
        .bits(0, 4)
        .bits(0, 6)
        .bits(1, 3)
        .bits(1, 3)
        .bits(-1, 32),
    ),
    end(
      'a match without any distance code',
      new ZlibWriter()
        .dynamicHeader({ literals: staircase(258, [97, 257, 256]), distances: [0] }, true)
        .code(0, 1)
        .code(0b10, 2)
        .bits(0, 9),
    ),
    end(
      'the unused half of a single distance code',
      new ZlibWriter()
        .dynamicHeader({ literals: staircase(258, [97, 257, 256]), distances: [1, ...full.slice(1)] }, true)
        .code(0, 1)
        .code(0b11, 2)
        .bits(1, 1)
        .bits(0, 9),
    ),
    {
      name: 'a wrong checksum',
      output,
      stream: new ZlibWriter().fixed(run, true).end(Uint8Array.of(97, 97, 97, 98)),
    },
  ]
}

/** Where streams and outputs are put in larger arrays: odd offsets, foreign bytes on both sides. */
const PADDINGS = [
  [0, 0],
  [1, 1],
  [3, 40],
  [13, 5],
] as const

function inflateInto(inflate: Inflate, { stream, output }: Sample, before: number, after: number): void {
  const input = concatBytes([noise(before, 5), stream, noise(after, 6)])
  const out = noise(before + output.length + after, 7)
  const expected = out.slice()
  expected.set(output, after)
  const consumed = inflate.inflateInto(input, before, input.length, out, after, output.length)
  assertSame(consumed, stream.length, 'consumed bytes')
  assertSameBytes(out, expected, 'output and the bytes around it')
}

/** Pushes `stream` in the given steps, with `extra` bytes behind it in the same array as its last piece. */
function inflatePieces(
  inflate: Inflate,
  stream: Uint8Array,
  steps: readonly number[],
  extra = 0,
): Uint8Array {
  const pieces: Uint8Array[] = []
  const running = inflate.stream((piece) => pieces.push(piece.slice()))
  const isDone = (): boolean => running.done
  const input = concatBytes([stream, noise(extra, 9)])
  let at = 0
  for (let turn = 0; ; turn++) {
    if (isDone()) break
    if (at >= input.length) throw new Error('the stream does not end where its input does')
    const end = Math.min(input.length, at + steps[turn % steps.length]!)
    const consumed = running.push(input, at, end)
    if (!isDone()) assertSame(consumed, end - at, 'bytes consumed before the end')
    at += consumed
  }
  assertSame(at, stream.length, 'bytes consumed in all')
  assertSame(running.push(input, 0, input.length), 0, 'bytes consumed after the end')
  return concatBytes(pieces)
}

function describe({ name }: Sample, body: () => void): void {
  try {
    body()
  } catch (error) {
    throw new Error(`${name}: ${String(error)}`, { cause: error })
  }
}

export const inflateCases: readonly CodecCase[] = [
  {
    name: 'inflateInto gives the output, the bytes consumed, and touches nothing else',
    run({ inflate }: Codecs): void {
      for (const sample of samples()) {
        describe(sample, () => {
          for (const [before, after] of PADDINGS) inflateInto(inflate, sample, before, after)
        })
      }
    },
  },
  {
    name: 'inflateInto says -1 at every cut of a stream, whatever lies behind the cut',
    run({ inflate }: Codecs): void {
      for (const sample of samples()) {
        describe(sample, () => {
          const { stream, output } = sample
          const out = new Uint8Array(output.length)
          const step = 1 + Math.floor(stream.length / 120)
          for (let cut = 0; cut < stream.length; cut += cut + 20 > stream.length ? 1 : step) {
            assertSame(
              inflate.inflateInto(stream, 0, cut, out, 0, output.length),
              -1,
              `cut at ${cut} in place`,
            )
            assertSame(
              inflate.inflateInto(stream.slice(0, cut), 0, cut, out, 0, output.length),
              -1,
              `cut at ${cut} by itself`,
            )
          }
        })
      }
    },
  },
  {
    name: 'inflateInto refuses a stream that gives more or less than promised, and keeps to its range',
    run({ inflate }: Codecs): void {
      for (const sample of samples()) {
        describe(sample, () => {
          const { stream, output } = sample
          for (const size of [
            output.length - 1,
            output.length >> 1,
            0,
            output.length + 1,
            output.length + 300,
          ]) {
            if (size < 0 || size === output.length) continue
            const out = new Uint8Array(size + 600).fill(0xee)
            assertThrows(
              'CORRUPT_ZLIB',
              () => inflate.inflateInto(stream, 0, stream.length, out, 300, size),
              `size ${size} instead of ${output.length}`,
            )
            assertSameBytes(out.slice(0, 300), new Uint8Array(300).fill(0xee), 'bytes before the range')
            assertSameBytes(out.slice(300 + size), new Uint8Array(300).fill(0xee), 'bytes after the range')
          }
        })
      }
    },
  },
  {
    name: 'every way of inflating refuses damage',
    run({ inflate }: Codecs): void {
      for (const sample of damaged()) {
        describe(sample, () => {
          const { stream, output } = sample
          const out = new Uint8Array(output.length)
          const input = concatBytes([stream, new Uint8Array(40)])
          assertThrows(
            'CORRUPT_ZLIB',
            () => inflate.inflateInto(stream, 0, stream.length, out, 0, out.length),
            'into',
          )
          assertThrows(
            'CORRUPT_ZLIB',
            () => inflate.inflateInto(input, 0, input.length, out, 0, out.length),
            'amid',
          )
          assertThrows('CORRUPT_ZLIB', () => inflate.inflate(stream, 1000), 'whole')
          assertThrows('CORRUPT_ZLIB', () => inflatePieces(inflate, input, [1]), 'in pieces')
        })
      }
    },
  },
  {
    name: 'inflateInto is none the worse for failures before',
    run({ inflate }: Codecs): void {
      const [good] = samples().filter(({ name }) => name.startsWith('blocks of every kind'))
      if (good === undefined) throw new Error('no such sample')
      for (const { stream, output } of damaged()) {
        const out = new Uint8Array(output.length)
        assertThrows(
          'CORRUPT_ZLIB',
          () => inflate.inflateInto(stream, 0, stream.length, out, 0, out.length),
          'damage',
        )
        inflateInto(inflate, good, 2, 2)
        inflate.inflateInto(
          good.stream,
          0,
          good.stream.length >> 1,
          good.output.slice(),
          0,
          good.output.length,
        )
        inflateInto(inflate, good, 2, 2)
      }
    },
  },
  {
    name: 'inflateInto refuses ranges that do not lie within their arrays',
    run({ inflate }: Codecs): void {
      const stream = new ZlibWriter().fixed([97], true).end(Uint8Array.of(97))
      for (const size of [1, 100_000]) {
        const out = new Uint8Array(size)
        for (const [start, end, at] of [
          [-1, 5, 0],
          [6, 5, 0],
          [0, stream.length + 1, 0],
          [0, 5, 1],
          [0, 5, -1],
        ] as const) {
          assertThrows(
            'INVALID_ARGUMENT',
            () => inflate.inflateInto(stream, start, end, out, at, size),
            `input ${start} to ${end}, output ${size} at ${at}`,
          )
        }
      }
    },
  },
  {
    name: 'inflate gives the whole output of unknown size',
    run({ inflate }: Codecs): void {
      for (const sample of samples()) {
        describe(sample, () => {
          const { stream, output } = sample
          const input = concatBytes([noise(3), stream]).subarray(3)
          assertSameBytes(inflate.inflate(input, output.length), output, 'with the limit just met')
          assertSameBytes(inflate.inflate(input, Number.MAX_SAFE_INTEGER), output, 'without a limit')
        })
      }
    },
  },
  {
    name: 'inflate refuses a cut stream, bytes after the end, and too much output',
    run({ inflate }: Codecs): void {
      for (const sample of samples()) {
        describe(sample, () => {
          const { stream, output } = sample
          const step = 1 + Math.floor(stream.length / 40)
          for (let cut = 0; cut < stream.length; cut += cut + 20 > stream.length ? 1 : step) {
            assertThrows('CORRUPT_ZLIB', () => inflate.inflate(stream.slice(0, cut), 1e9), `cut at ${cut}`)
          }
          assertThrows(
            'CORRUPT_ZLIB',
            () => inflate.inflate(concatBytes([stream, noise(1)]), 1e9),
            'one byte more',
          )
          assertThrows(
            'CORRUPT_ZLIB',
            () => inflate.inflate(concatBytes([stream, noise(90)]), 1e9),
            '90 bytes more',
          )
          if (output.length === 0) return
          for (const maxSize of [0, output.length >> 1, output.length - 1]) {
            assertThrows('LIMIT_EXCEEDED', () => inflate.inflate(stream, maxSize), `limit ${maxSize}`)
          }
        })
      }
    },
  },
  {
    name: 'a stream gives the same however its input is cut, and knows where it ends',
    run({ inflate }: Codecs): void {
      for (const sample of samples()) {
        describe(sample, () => {
          const { stream, output } = sample
          const small = stream.length < 5000
          for (const steps of small
            ? [[1], [2], [3, 1], [7, 50]]
            : [
                [100, 1, 3000],
                [1, 2, 3, 50, 4000],
              ]) {
            assertSameBytes(inflatePieces(inflate, stream, steps), output, `in steps of ${steps.join()}`)
          }
          assertSameBytes(inflatePieces(inflate, stream, [Infinity]), output, 'at once')
          assertSameBytes(
            inflatePieces(inflate, stream, [Infinity], 50),
            output,
            'at once with more behind it',
          )
          assertSameBytes(
            inflatePieces(inflate, stream, [5, 500], 50),
            output,
            'in pieces with more behind it',
          )
        })
      }
    },
  },
  {
    name: 'a stream takes empty pieces, and is not done before its checksum is',
    run({ inflate }: Codecs): void {
      const output = prose(500)
      const stream = new ZlibWriter().stored(output, true).end(output)
      const running = inflate.stream(() => undefined)
      assertSame(running.push(new Uint8Array(0)), 0, 'bytes consumed of nothing')
      for (let at = 0; at < stream.length; at++) {
        assertSame(running.done, false, `done before byte ${at}`)
        assertSame(running.push(stream, at, at), 0, 'bytes consumed of nothing')
        assertSame(running.push(stream, at, at + 1), 1, 'bytes consumed of one')
      }
      assertSame(running.done, true, 'done')
    },
  },
  {
    name: 'a stream that has failed takes nothing more',
    run({ inflate }: Codecs): void {
      const running = inflate.stream(() => undefined)
      const bad = Uint8Array.of(0x78, 0x9c, 0xff, 0xff, 0xff)
      assertThrows('CORRUPT_ZLIB', () => running.push(bad), 'damage')
      assertThrows('INVALID_ARGUMENT', () => running.push(bad), 'a piece after the failure')
      assertSame(running.done, false, 'done')
    },
  },
  {
    name: 'streams beside each other and one-shot calls do not disturb one another',
    run({ inflate }: Codecs): void {
      const all = samples().filter(({ stream }) => stream.length < 50_000)
      const running = all.map((sample) => {
        const pieces: Uint8Array[] = []
        return { sample, pieces, stream: inflate.stream((piece) => pieces.push(piece.slice())), at: 0 }
      })
      for (let open = running.length; open > 0;) {
        open = 0
        for (const one of running) {
          if (one.stream.done) continue
          one.at += one.stream.push(
            one.sample.stream,
            one.at,
            Math.min(one.sample.stream.length, one.at + 97 + (one.sample.stream.length >> 5)),
          )
          inflateInto(inflate, one.sample, 1, 1)
          open++
        }
      }
      for (const { sample, pieces } of running)
        assertSameBytes(concatBytes(pieces), sample.output, sample.name)
    },
  },
]
