import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/bytes/concat.ts'
import { encodeUtf8 } from '../../src/bytes/text.ts'
import { isGitError } from '../../src/errors.ts'
import { encodeErrorPkt, encodePkt, MAX_PKT_PAYLOAD } from '../../src/protocol/pkt-line.ts'
import { PktReader, type Packet } from '../../src/protocol/pkt-reader.ts'
import { chunked, collect, FLUSH, wire } from './wire.ts'

async function readAll(reader: PktReader): Promise<Packet[]> {
  const packets: Packet[] = []
  for (;;) {
    const packet = await reader.read()
    if (packet.kind === 'eof') return packets
    packets.push(packet.kind === 'data' ? { kind: 'data', payload: packet.payload.slice() } : packet)
  }
}

const payload = fc
  .uint8Array({ maxLength: 300 })
  .filter((bytes) => !new TextDecoder().decode(bytes).startsWith('ERR '))
const packet: fc.Arbitrary<Packet> = fc.oneof(
  payload.map((bytes): Packet => ({ kind: 'data', payload: bytes })),
  fc.constantFrom<Packet>({ kind: 'flush' }, { kind: 'delim' }, { kind: 'response-end' }),
)
const MARKERS = { flush: '0000', delim: '0001', 'response-end': '0002', eof: '' }

function encode(items: readonly Packet[]): Uint8Array {
  return concatBytes(
    items.map((item) => (item.kind === 'data' ? encodePkt(item.payload) : encodeUtf8(MARKERS[item.kind]))),
  )
}

describe('pkt-line', () => {
  it('reads back what was encoded, however the stream is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(packet, { maxLength: 12 }), fc.array(fc.nat()), async (items, cuts) => {
        const bytes = encode(items)
        expect(await readAll(new PktReader(chunked(bytes, cuts)))).toEqual(items)
      }),
    )
  })

  it('reads a stream that comes byte by byte', async () => {
    const bytes = wire('one', 'two\n')
    const cuts = Array.from(bytes.keys())
    expect(await readAll(new PktReader(chunked(bytes, cuts)))).toEqual([
      { kind: 'data', payload: encodeUtf8('one') },
      { kind: 'data', payload: encodeUtf8('two\n') },
    ])
  })

  it('reads lines up to what is none, one by one or together, however the stream is cut', async () => {
    const line = fc.string({ maxLength: 90 }).filter((text) => !text.startsWith('ERR '))
    const plain = line.map((text): Packet => ({ kind: 'data', payload: encodeUtf8(`${text}\n`) }))
    const items = fc.oneof(
      fc.array(packet, { maxLength: 12 }),
      fc.array(fc.oneof({ arbitrary: plain, weight: 30 }, packet), { maxLength: 60 }),
    )
    await fc.assert(
      fc.asyncProperty(items, fc.array(fc.nat()), fc.boolean(), async (list, cuts, peeks) => {
        const one = new PktReader(chunked(encode(list), cuts))
        const many = new PktReader(chunked(encode(list), cuts))
        for (let isOver = false; !isOver;) {
          if (peeks) await many.peek()
          const { lines, end } = await many.readLines()
          for (const text of lines) expect(await one.readLine()).toEqual({ kind: 'line', text })
          expect(await one.readLine()).toEqual({ kind: end })
          expect(many.packetCount).toBe(one.packetCount)
          isOver = end === 'eof'
        }
      }),
    )
  })

  it('hands out what follows the packets untouched', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), fc.array(fc.nat()), fc.nat(20), async (rest, cuts, peek) => {
        const reader = new PktReader(chunked(concatBytes([wire('line'), rest]), cuts))
        await reader.read()
        expect(await reader.peekBytes(peek)).toEqual(rest.slice(0, peek))
        expect(await collect(reader.rest())).toEqual(rest)
        expect(reader.ended).toBe(true)
      }),
    )
  })

  it('goes on reading after a consumer of the rest has left', async () => {
    const reader = new PktReader(chunked(encodeUtf8('abcdef'), [3]))
    for await (const chunk of reader.rest()) {
      expect(new TextDecoder().decode(chunk)).toBe('abc')
      break
    }
    expect(new TextDecoder().decode(await collect(reader.rest()))).toBe('def')
  })

  it('refuses a payload that does not fit, and takes one that just does', () => {
    expect(encodePkt(new Uint8Array(MAX_PKT_PAYLOAD)).length).toBe(65520)
    expect(() => encodePkt(new Uint8Array(MAX_PKT_PAYLOAD + 1))).toThrow(/too long/)
    expect(encodeErrorPkt('x'.repeat(100_000)).length).toBe(65520)
  })

  it.each([
    ['zzzz', 'protocol error: bad line length character: zzzz'],
    ['0003', 'protocol error: bad line length 3'],
    ['fff1', 'protocol error: bad line length 65521'],
    ['00', 'the remote end hung up unexpectedly'],
    ['0009ab', 'the remote end hung up unexpectedly'],
    ['0010ERR go away\n', 'remote error: go away'],
  ])('says of %s: %s', async (text, message) => {
    const error: unknown = await new PktReader(chunked(encodeUtf8(text)))
      .read()
      .catch((caught: unknown) => caught)
    expect(isGitError(error, 'PROTOCOL')).toBe(true)
    expect(error).toHaveProperty('message', message)
  })

  it('stops at the limit of bytes', async () => {
    const reader = new PktReader(chunked(wire('12345678', '12345678')), { maxBytes: 20 })
    await reader.read()
    const error: unknown = await reader.read().catch((caught: unknown) => caught)
    expect(isGitError(error, 'LIMIT_EXCEEDED')).toBe(true)
  })

  it('stops at the limit of packets, also where many lines come in one chunk', async () => {
    const lines = Array.from({ length: 100 }, (_, at) => `line ${at}`)
    const limited = (maxPackets: number): PktReader =>
      new PktReader(chunked(wire(...lines, FLUSH)), { maxPackets })
    expect((await limited(101).readLines()).lines).toEqual(lines)
    const error: unknown = await limited(100)
      .readLines()
      .catch((caught: unknown) => caught)
    expect(isGitError(error, 'LIMIT_EXCEEDED')).toBe(true)
  })

  it('closes the stream it reads, once', async () => {
    let closed = 0
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.resolve({ done: false as const, value: wire('a') }),
        return: () => {
          closed++
          return Promise.resolve({ done: true as const, value: undefined })
        },
      }),
    }
    const reader = new PktReader(source)
    await reader.read()
    await reader.close()
    await reader.close()
    expect(closed).toBe(1)
    expect((await reader.read()).kind).toBe('eof')
  })
})
