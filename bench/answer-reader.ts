/** What came back. */
export interface Answer {
  readonly status: number
  /** Bytes of the body. */
  readonly bytes: number
  /** The last bytes of the body. */
  readonly tail: Buffer
  /** The first 64 KiB of the body. */
  readonly head: Buffer
  /** When the first bytes of a pack came, in milliseconds from the request on; undefined when none did within the head. */
  readonly packAfter: number | undefined
}

const HEAD_BYTES = 65536
const NEWLINE = 10

/**
 * Reads one HTTP/1.1 answer, whose length is told or which comes in chunks, from buffers that are used again: of the body nothing is
 * kept but its beginning and its end.
 */
export class AnswerReader {
  readonly #start = performance.now()
  #state: 'header' | 'size' | 'body' | 'trailer' | 'over' = 'header'
  #chunked = false
  /** The line, or all of the header, that is being read. */
  #text = ''
  /** Bytes until the body, or the chunk of it, ends. */
  #left = 0
  #status = 0
  #bytes = 0
  #tail: Buffer = Buffer.alloc(0)
  #packAfter: number | undefined
  readonly #head: Buffer[] = []

  /** Whether nothing of it came yet. */
  get isUntouched(): boolean {
    return this.#state === 'header' && this.#text === ''
  }

  /** Takes what came; returns the answer when it is whole. */
  take(piece: Buffer): Answer | undefined {
    for (let at = 0; at < piece.length && this.#state !== 'over';) {
      if (this.#state === 'body') at += this.#takeBody(piece.subarray(at, at + this.#left))
      else at += this.#takeLine(piece.subarray(at))
    }
    if (this.#state !== 'over') return undefined
    const head = Buffer.concat(this.#head).subarray(0, HEAD_BYTES)
    return {
      status: this.#status,
      bytes: this.#bytes,
      tail: this.#tail,
      head,
      packAfter: this.#packAfter,
    }
  }

  #takeBody(piece: Buffer): number {
    if (this.#bytes < HEAD_BYTES) {
      this.#head.push(Buffer.from(piece.subarray(0, HEAD_BYTES)))
      if (piece.includes('PACK')) this.#packAfter ??= performance.now() - this.#start
    }
    this.#bytes += piece.length
    const end = Buffer.from(piece.subarray(-4))
    this.#tail = end.length === 4 ? end : Buffer.concat([this.#tail, end]).subarray(-4)
    this.#left -= piece.length
    if (this.#left === 0) this.#state = this.#chunked ? 'size' : 'over'
    return piece.length
  }

  /** Takes up to the end of a line. */
  #takeLine(piece: Buffer): number {
    const end = piece.indexOf(NEWLINE)
    const length = end < 0 ? piece.length : end + 1
    this.#text += piece.toString('latin1', 0, length)
    if (end < 0) return length
    if (this.#state === 'header') {
      if (!this.#text.endsWith('\r\n\r\n')) return length
      this.#beginBody(this.#text)
    } else if (this.#state === 'trailer') {
      if (this.#text === '\r\n') this.#state = 'over'
    } else if (this.#text !== '\r\n') {
      this.#left = parseInt(this.#text, 16)
      this.#state = this.#left > 0 ? 'body' : 'trailer'
    }
    this.#text = ''
    return length
  }

  #beginBody(header: string): void {
    this.#status = Number(header.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length))
    this.#chunked = /^transfer-encoding: *chunked\r$/im.test(header)
    this.#left = Number(/^content-length: *(\d+)\r$/im.exec(header)?.[1] ?? (this.#chunked ? 0 : Number.NaN))
    if (Number.isNaN(this.#left)) throw new Error(`an answer without a length: ${header}`)
    if (this.#chunked) this.#state = 'size'
    else this.#state = this.#left > 0 ? 'body' : 'over'
  }
}
