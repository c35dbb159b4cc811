import { concatBytes } from '../../src/bytes/concat.ts'
import { encodeUtf8 } from '../../src/bytes/text.ts'
import { encodePkt } from '../../src/protocol/pkt-line.ts'
import { PktReader } from '../../src/protocol/pkt-reader.ts'

/** A marker packet in a list of packets given as text. */
export const FLUSH = { marker: '0000' } as const
export const DELIM = { marker: '0001' } as const

export type WirePart = string | Uint8Array | typeof FLUSH | typeof DELIM

/** Encodes text as packets; markers as they are; bytes without framing. */
export function wire(...parts: readonly WirePart[]): Uint8Array {
  return concatBytes(
    parts.map((part) => {
      if (part instanceof Uint8Array) return part
      return typeof part === 'string' ? encodePkt(part) : encodeUtf8(part.marker)
    }),
  )
}

/** A stream of the bytes, cut at the given places. */
export async function* chunked(bytes: Uint8Array, cuts: readonly number[] = []): AsyncGenerator<Uint8Array> {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((left, right) => left - right)
  let from = 0
  for (const place of [...places, bytes.length]) {
    await Promise.resolve()
    yield bytes.slice(from, place)
    from = place
  }
}

/** Everything a stream yields, joined. */
export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk.slice())
  return concatBytes(chunks)
}

/** The packets of a message as text: lines without newline, `<flush>`, `<delim>`; stops at bytes that are no packet. */
export async function packets(bytes: Uint8Array): Promise<string[]> {
  const reader = new PktReader(chunked(bytes))
  const lines: string[] = []
  for (;;) {
    const line = await reader.readLine()
    if (line.kind === 'eof') return lines
    lines.push(line.kind === 'line' ? line.text : `<${line.kind}>`)
  }
}

/** What a side-band message says on each band. Keepalives are dropped; `ended` tells whether a flush came. */
export interface Bands {
  readonly data: Uint8Array
  readonly progress: string
  readonly fatal: string
  readonly ended: boolean
}

/** Takes apart a side-band message. */
export async function demux(bytes: Uint8Array): Promise<Bands> {
  const reader = new PktReader(chunked(bytes))
  const bands: Uint8Array[][] = [[], [], [], []]
  for (;;) {
    const packet = await reader.read()
    if (packet.kind !== 'data') {
      const [, data = [], progress = [], fatal = []] = bands
      return {
        data: concatBytes(data),
        progress: new TextDecoder().decode(concatBytes(progress)),
        fatal: new TextDecoder().decode(concatBytes(fatal)),
        ended: packet.kind === 'flush',
      }
    }
    const band = bands[packet.payload[0] ?? 0]
    if (band === undefined) throw new Error(`bad band in ${new TextDecoder().decode(packet.payload)}`)
    band.push(packet.payload.subarray(1))
  }
}
