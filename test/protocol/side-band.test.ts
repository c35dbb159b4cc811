import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/bytes/concat.ts'
import { BandChannel } from '../../src/protocol/band-channel.ts'
import { BandBuffer, encodeBand, SIDE_BAND_PACKET_MAX } from '../../src/protocol/side-band.ts'
import { collect, demux } from './wire.ts'

/** Lengths of the packets in a message. */
function packetLengths(bytes: Uint8Array): number[] {
  const lengths: number[] = []
  for (let at = 0; at < bytes.length; at += lengths.at(-1) ?? 1) {
    lengths.push(Number.parseInt(new TextDecoder().decode(bytes.subarray(at, at + 4)), 16))
  }
  return lengths
}

describe('side-band', () => {
  it('carries data through packets of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 5000 })),
        fc.constantFrom(6, 100, SIDE_BAND_PACKET_MAX, 65520),
        async (pieces, packetMax) => {
          const buffer = new BandBuffer(packetMax)
          const packets = [...pieces.flatMap((piece) => [...buffer.push(piece)]), ...buffer.flush()]
          const lengths = packetLengths(concatBytes(packets))
          for (const length of lengths) expect(length).toBeLessThanOrEqual(packetMax)
          for (const length of lengths.slice(0, -1)) expect(length).toBe(packetMax)
          expect((await demux(concatBytes(packets))).data).toEqual(concatBytes(pieces))
        },
      ),
    )
  })

  it('cuts long messages into packets that the peer takes', () => {
    const bytes = encodeBand(2, 'x'.repeat(2500), SIDE_BAND_PACKET_MAX)
    expect(packetLengths(bytes)).toEqual([1000, 1000, 515])
  })
})

describe('a channel', () => {
  it('relays what is said during work, and returns what the work returns', async () => {
    const channel = new BandChannel(1000, 0)
    let finish: (value: number) => void = () => undefined
    const work = new Promise<number>((resolve) => {
      finish = resolve
    })
    const during = channel.during(work)
    channel.say('one\n')
    const first = await during.next()
    expect(first.done).toBe(false)
    channel.say('two\n')
    finish(7)
    const said: Uint8Array[] = []
    for (;;) {
      const next = await during.next()
      if (next.done === true) {
        expect(next.value).toBe(7)
        break
      }
      said.push(next.value)
    }
    expect((await demux(concatBytes(said))).progress).toBe('two\n')
  })

  it('passes on the failure of work', async () => {
    const channel = new BandChannel(1000, 0)
    await expect(collect(channel.during(Promise.reject(new Error('broken'))))).rejects.toThrow('broken')
  })

  it('gives signs of life while nothing is said, unless they must be held', async () => {
    const channel = new BandChannel(1000, 0.001)
    let isQuiet = true
    const during = channel.during(new Promise<never>(() => undefined), () => isQuiet)
    setTimeout(() => {
      isQuiet = false
    }, 5)
    const first = await during.next()
    expect(isQuiet).toBe(false)
    expect(first.value).toEqual(new TextEncoder().encode('0005\x01'))
  })

  it('without a side-band drops messages and passes data as it is', async () => {
    const channel = new BandChannel(0, 1)
    channel.say('lost')
    const data = new Uint8Array([1, 2, 3])
    expect([...channel.data(data), ...channel.flush()]).toEqual([data])
    expect(await collect(channel.during(Promise.resolve(1)))).toEqual(new Uint8Array(0))
  })
})
