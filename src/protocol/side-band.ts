/*
 * The side-band (gitprotocol-pack, "Packfile Data"): packets whose first payload byte names the band.
 */
import { encodeUtf8 } from '../bytes/text.ts'
import type { Framing } from '../odb/framing.ts'
import { LARGE_PACKET_MAX, writePktLength } from './pkt-line.ts'

/** 1 carries data, 2 progress for people, 3 the message of a fatal error. */
export type Band = 1 | 2 | 3

/** Size of the largest packet a peer takes in each form of the capability. */
export const SIDE_BAND_PACKET_MAX = 1000
export const SIDE_BAND_64K_PACKET_MAX: number = LARGE_PACKET_MAX

/** Bytes of a side-band packet before its data: length and band. */
const HEADER_LENGTH = 5

/** An empty packet on the data band: says that the server is alive. */
export const KEEPALIVE_PKT: Uint8Array = /* @__PURE__ */ encodeUtf8('0005\x01')

/** How data of band 1 is wrapped in packets of at most so many bytes. */
export function bandFraming(packetMax: number): Framing {
  return {
    every: packetMax - HEADER_LENGTH,
    gap: HEADER_LENGTH,
    writeHeader(out, at, length) {
      writePktLength(out, at, HEADER_LENGTH + length)
      out[at + 4] = 1
    },
  }
}

/** Encodes data for a band, in as many packets as it takes, joined. The result is a new array. */
export function encodeBand(band: Band, data: string | Uint8Array, packetMax: number): Uint8Array {
  const bytes = typeof data === 'string' ? encodeUtf8(data) : data
  const room = packetMax - HEADER_LENGTH
  const packets = Math.ceil(bytes.length / room)
  const out = new Uint8Array(bytes.length + packets * HEADER_LENGTH)
  let at = 0
  for (let from = 0; from < bytes.length; from += room) {
    const piece = bytes.subarray(from, from + room)
    writePktLength(out, at, HEADER_LENGTH + piece.length)
    out[at + 4] = band
    out.set(piece, at + HEADER_LENGTH)
    at += HEADER_LENGTH + piece.length
  }
  return out
}

/** Encodes the message of a fatal error for band 3, as one packet of any peer that knows the large form. */
export function encodeBandError(message: string): Uint8Array {
  const text = encodeUtf8(message).subarray(0, SIDE_BAND_64K_PACKET_MAX - HEADER_LENGTH)
  return encodeBand(3, text, SIDE_BAND_64K_PACKET_MAX)
}

/** Gathers pieces of data into full packets of band 1. */
export class BandBuffer {
  readonly #packetMax: number
  /** Made when the first piece comes: data that is wrapped elsewhere passes by. */
  #kept: Uint8Array | undefined
  #keptLength = 0

  constructor(packetMax: number) {
    this.#packetMax = packetMax
  }

  /** Takes data; yields all packets that are full now, joined. The yielded array belongs to the caller. */
  *push(data: Uint8Array): Generator<Uint8Array, void, undefined> {
    const kept = (this.#kept ??= new Uint8Array(this.#packetMax - HEADER_LENGTH))
    const room = kept.length
    const packets = Math.floor((this.#keptLength + data.length) / room)
    let from = 0
    if (packets > 0) {
      const out = new Uint8Array(packets * this.#packetMax)
      for (let at = 0; at < out.length; at += this.#packetMax) {
        writePktLength(out, at, this.#packetMax)
        out[at + 4] = 1
        // What was kept is the beginning of the first packet.
        if (this.#keptLength > 0) out.set(kept.subarray(0, this.#keptLength), at + HEADER_LENGTH)
        const piece = data.subarray(from, from + room - this.#keptLength)
        out.set(piece, at + HEADER_LENGTH + this.#keptLength)
        from += piece.length
        this.#keptLength = 0
      }
      yield out
    }
    kept.set(data.subarray(from), this.#keptLength)
    this.#keptLength += data.length - from
  }

  /** Yields what is kept, if anything is. */
  *flush(): Generator<Uint8Array, void, undefined> {
    if (this.#kept === undefined || this.#keptLength === 0) return
    const packet = encodeBand(1, this.#kept.subarray(0, this.#keptLength), this.#packetMax)
    this.#keptLength = 0
    yield packet
  }
}
