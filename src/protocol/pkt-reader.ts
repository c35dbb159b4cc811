import { concatBytes } from '../bytes/concat.ts'
import { hexDigit } from '../bytes/hex.ts'
import { decodeLatin1, decodeUtf8 } from '../bytes/text.ts'
import { GitError } from '../errors.ts'
import { LARGE_PACKET_MAX } from './pkt-line.ts'

/** One packet as read. `eof` stands for the end of the stream at a packet boundary. */
export type Packet =
  | { readonly kind: 'data'; readonly payload: Uint8Array }
  | { readonly kind: 'flush' | 'delim' | 'response-end' | 'eof' }

/** One line as read: a data packet as text without its final newline. */
export type PktLine =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'flush' | 'delim' | 'response-end' | 'eof' }

/** Lines up to what ended them. */
export interface PktLines {
  readonly lines: readonly string[]
  readonly end: Exclude<PktLine['kind'], 'line'>
}

/** How much a peer may send in packets. */
export interface PacketLimits {
  /** Bytes, lengths included. Default: any number. */
  readonly maxBytes?: number
  /** Default: any number. */
  readonly maxPackets?: number
}

const NEWLINE = 10
/** From so many bytes on it pays to decode a chunk as one text. */
const MANY_LINES = 512
const EMPTY = /* @__PURE__ */ new Uint8Array(0)
const SPECIAL = ['flush', 'delim', 'response-end'] as const

/**
 * Reads packets, and then whatever follows them, from a stream in chunks of any size.
 *
 * Payloads are views of the chunks where a packet lies within one. Nothing is read ahead of what was asked for, beyond
 * the chunk at hand.
 */
export class PktReader {
  readonly #source: AsyncIterator<Uint8Array>
  readonly #maxBytes: number
  readonly #maxPackets: number
  #chunk: Uint8Array = EMPTY
  #at = 0
  #ended = false
  #packetBytes = 0
  #packetCount = 0
  #peeked: Packet | undefined

  constructor(source: AsyncIterable<Uint8Array>, { maxBytes, maxPackets }: PacketLimits = {}) {
    this.#source = source[Symbol.asyncIterator]()
    this.#maxBytes = maxBytes ?? Number.MAX_SAFE_INTEGER
    this.#maxPackets = maxPackets ?? Number.MAX_SAFE_INTEGER
  }

  /** How many well-formed packets have been read: above 0 the peer understands an answer in packets. */
  get packetCount(): number {
    return this.#packetCount
  }

  /** True once the stream has been read to its end. */
  get ended(): boolean {
    return this.#ended && this.#at === this.#chunk.length
  }

  /**
   * Reads the next packet.
   *
   * @throws GitError `PROTOCOL` when the length is malformed, the stream ends within the packet, or the packet is an `ERR`;
   * `LIMIT_EXCEEDED` when the packets are too many, or too many bytes.
   */
  async read(): Promise<Packet> {
    return this.#tryTake() ?? this.#readPacket()
  }

  /** The packet that the next `read` will return. */
  async peek(): Promise<Packet> {
    this.#peeked ??= this.#tryPacket() ?? (await this.#readPacket())
    return this.#peeked
  }

  /** Reads the next packet as a line of UTF-8 text; a final newline is dropped. */
  async readLine(): Promise<PktLine> {
    const packet = this.#tryTake() ?? (await this.#readPacket())
    return packet.kind === 'data' ? { kind: 'line', text: decodeLine(packet.payload) } : packet
  }

  /** Reads lines until a packet comes that is none. Lines that lie in one chunk cost no turn of the event loop each. */
  async readLines(): Promise<PktLines> {
    const lines: string[] = []
    for (;;) {
      this.#takeLines(lines)
      const packet = this.#tryTake() ?? (await this.#readPacket())
      if (packet.kind !== 'data') return { lines, end: packet.kind }
      lines.push(decodeLine(packet.payload))
    }
  }

  /** Takes lines of plain ASCII as parts of one text, as far as they lie in the chunk at hand. The others are left where they are. */
  #takeLines(lines: string[]): void {
    if (this.#peeked !== undefined) return
    const chunk = this.#chunk
    const start = this.#at
    if (chunk.length - start < MANY_LINES) return
    const text = decodeUtf8(chunk.subarray(start))
    // Longer sequences of bytes are fewer characters.
    if (text.length !== chunk.length - start) return
    for (;;) {
      const at = this.#at
      if (chunk.length - at < 4) return
      const length = parsePktLength(chunk, at)
      const end = at + length
      const isPlain = length > 8 && end <= chunk.length && this.#packetBytes + length <= this.#maxBytes
      if (!isPlain || this.#packetCount === this.#maxPackets || text.startsWith('ERR ', at + 4 - start))
        return
      this.#at = end
      this.#packetBytes += length
      this.#packetCount++
      lines.push(text.slice(at + 4 - start, (chunk[end - 1] === NEWLINE ? end - 1 : end) - start))
    }
  }

  /** The next `length` bytes without consuming them; fewer where the stream ends before. For what follows the packets. */
  async peekBytes(length: number): Promise<Uint8Array> {
    while (this.#chunk.length - this.#at < length && (await this.#more()));
    return this.#chunk.subarray(this.#at, this.#at + length)
  }

  /** Everything after the packets read so far. Leaving the loop early does not close the stream: reading may go on. */
  async *rest(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const chunk = this.#chunk.subarray(this.#at)
      this.#chunk = EMPTY
      this.#at = 0
      if (chunk.length > 0) yield chunk
      else if (!(await this.#more())) return
    }
  }

  /** Tells the stream that nothing more will be read. */
  async close(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    await this.#source.return?.()
  }

  /** The next packet, if it was peeked at or all of it lies in the chunk at hand. */
  #tryTake(): Packet | undefined {
    const packet = this.#peeked ?? this.#tryPacket()
    this.#peeked = undefined
    return packet
  }

  async #readPacket(): Promise<Packet> {
    for (;;) {
      const packet = this.#tryPacket()
      if (packet !== undefined) return packet
      if (await this.#more()) continue
      if (this.#at === this.#chunk.length) return { kind: 'eof' }
      throw hungUp()
    }
  }

  /** The next packet, if all of it lies in the chunk at hand. */
  #tryPacket(): Packet | undefined {
    const at = this.#at
    const left = this.#chunk.length - at
    if (left < 4) return undefined
    const length = parsePktLength(this.#chunk, at)
    const packetBytes = this.#packetBytes + Math.max(length, 4)
    if (packetBytes > this.#maxBytes) {
      throw new GitError('LIMIT_EXCEEDED', `the request has more than ${this.#maxBytes} bytes of packets`, {
        details: { limit: 'maxRequestBytes' },
      })
    }
    if (left < length) return undefined
    if (this.#packetCount === this.#maxPackets) {
      throw new GitError('LIMIT_EXCEEDED', `the request has more than ${this.#maxPackets} packets`, {
        details: { limit: 'maxPackets' },
      })
    }
    this.#at += Math.max(length, 4)
    this.#packetBytes = packetBytes
    this.#packetCount++
    const special = SPECIAL[length]
    if (special !== undefined) return { kind: special }
    const payload = this.#chunk.subarray(at + 4, at + length)
    if (isErrorPayload(payload)) {
      throw new GitError('PROTOCOL', `remote error: ${decodeLine(payload.subarray(4))}`)
    }
    return { kind: 'data', payload }
  }

  /** Appends the next chunk of the stream to what is left of the one at hand. */
  async #more(): Promise<boolean> {
    if (this.#ended) return false
    const next = await this.#source.next()
    if (next.done === true) {
      this.#ended = true
      return false
    }
    const left = this.#chunk.subarray(this.#at)
    this.#chunk = left.length === 0 ? next.value : concatBytes([left, next.value])
    this.#at = 0
    return true
  }
}

/** Decodes a payload as text without its final newline. */
export function decodeLine(payload: Uint8Array): string {
  const end =
    payload.length > 0 && payload[payload.length - 1] === NEWLINE ? payload.length - 1 : payload.length
  return decodeUtf8(payload.subarray(0, end))
}

function parsePktLength(bytes: Uint8Array, at: number): number {
  let length = 0
  for (let digit = 0; digit < 4; digit++) {
    const value = hexDigit(bytes[at + digit]!)
    if (value < 0) {
      const found = decodeLatin1(bytes, at, at + 4).replace(/[^ -~]/g, '?')
      throw new GitError('PROTOCOL', `protocol error: bad line length character: ${found}`)
    }
    length = length * 16 + value
  }
  if (length === 3 || length > LARGE_PACKET_MAX) {
    throw new GitError('PROTOCOL', `protocol error: bad line length ${length}`)
  }
  return length
}

function isErrorPayload(payload: Uint8Array): boolean {
  return (
    payload.length >= 4 && payload[0] === 69 && payload[1] === 82 && payload[2] === 82 && payload[3] === 32
  )
}

function hungUp(): GitError {
  return new GitError('PROTOCOL', 'the remote end hung up unexpectedly')
}
