/*
 * pkt-line, the framing of Git's protocol (gitprotocol-common, "pkt-line Format"): four hexadecimal digits with the length
 * of the packet, themselves included, then the payload. Lengths 0, 1 and 2 are packets of their own without payload.
 */
import { concatBytes } from '../bytes/concat.ts'
import { encodeUtf8 } from '../bytes/text.ts'
import { GitError } from '../errors.ts'

/** Largest packet, length digits included. */
export const LARGE_PACKET_MAX = 65520

/** Largest payload of one packet. */
export const MAX_PKT_PAYLOAD = LARGE_PACKET_MAX - 4

/** Ends a message. */
export const FLUSH_PKT: Uint8Array = /* @__PURE__ */ encodeUtf8('0000')

/** Divides sections of one message (v2). */
export const DELIM_PKT: Uint8Array = /* @__PURE__ */ encodeUtf8('0001')

const HEX_DIGITS = '0123456789abcdef'

/** Writes the four length digits of a packet of `length` bytes, themselves included, to `out[at, at + 4)`. */
export function writePktLength(out: Uint8Array, at: number, length: number): void {
  for (let digit = 0; digit < 4; digit++) {
    out[at + digit] = HEX_DIGITS.charCodeAt((length >> (12 - 4 * digit)) & 15)
  }
}

/**
 * Encodes one packet. Text is sent as UTF-8, as it is: a line's own newline belongs to it.
 *
 * @throws GitError `INVALID_ARGUMENT` when the payload is longer than a packet holds.
 */
export function encodePkt(payload: string | Uint8Array): Uint8Array {
  const bytes = typeof payload === 'string' ? encodeUtf8(payload) : payload
  if (bytes.length > MAX_PKT_PAYLOAD) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `a packet of ${bytes.length} bytes is too long; at most ${MAX_PKT_PAYLOAD} fit`,
    )
  }
  const packet = new Uint8Array(4 + bytes.length)
  writePktLength(packet, 0, packet.length)
  packet.set(bytes, 4)
  return packet
}

/** Encodes the packet that ends a conversation with a message for people; git shows it as `remote error: <message>`. */
export function encodeErrorPkt(message: string): Uint8Array {
  return encodePkt(encodeUtf8(`ERR ${message}`).subarray(0, MAX_PKT_PAYLOAD))
}

/** Size from which gathered packets are handed on. */
const GATHERED_BYTES = 60 * 1024

/** Joins small packets, so that a long list of lines does not travel in as many small pieces. */
export function* gatherPackets(packets: Iterable<Uint8Array>): Generator<Uint8Array, void, undefined> {
  let gathered: Uint8Array[] = []
  let size = 0
  for (const packet of packets) {
    gathered.push(packet)
    size += packet.length
    if (size < GATHERED_BYTES) continue
    yield concatBytes(gathered)
    gathered = []
    size = 0
  }
  if (size > 0) yield concatBytes(gathered)
}

/** Encodes lines of text as packets, gathered like {@link gatherPackets} does. Fast where they are plain ASCII, as names mostly are. */
export function* encodeLines(lines: Iterable<string>): Generator<Uint8Array, void, undefined> {
  let gathered: string[] = []
  let size = 0
  for (const line of lines) {
    gathered.push(line)
    size += line.length + 4
    if (size < GATHERED_BYTES) continue
    yield encodeGathered(gathered)
    gathered = []
    size = 0
  }
  if (size > 0) yield encodeGathered(gathered)
}

/** Adds a flush to the last piece, so that it does not travel alone. */
export function* endWithFlush(pieces: Iterable<Uint8Array>): Generator<Uint8Array, void, undefined> {
  let last: Uint8Array | undefined
  for (const piece of pieces) {
    if (last !== undefined) yield last
    last = piece
  }
  yield last === undefined ? FLUSH_PKT : concatBytes([last, FLUSH_PKT])
}

function encodeGathered(lines: readonly string[]): Uint8Array {
  let text = ''
  for (const line of lines) {
    const length = line.length + 4
    if (length > LARGE_PACKET_MAX) return concatBytes(lines.map((each) => encodePkt(each)))
    text += PLAIN_LENGTHS[length] ?? length.toString(16).padStart(4, '0')
    text += line
  }
  const bytes = encodeUtf8(text)
  // Bytes are counted as characters: true of ASCII only.
  return bytes.length === text.length ? bytes : concatBytes(lines.map((line) => encodePkt(line)))
}

/** Length digits of short packets. */
const PLAIN_LENGTHS: readonly string[] = /* @__PURE__ */ Array.from({ length: 256 }, (_, length) =>
  length.toString(16).padStart(4, '0'),
)
