import { constants, deflateRawSync } from 'node:zlib'
import { streamIsOver } from '../corrupt-zlib.ts'
import { updateAdler32 } from '../loops/adler32.ts'
import type { ByteSink, DeflateStream } from '../ports.ts'
import { assertRange } from '../ranges.ts'

/** How far back a match may reach, which is how much of what went before a block is given to it as dictionary. */
const WINDOW = 32768

/** Input that is deflated at once. The five bytes that end a block early weigh nothing against it. */
const BLOCK = 131072

/**
 * Starts a deflate stream on node:zlib, which has no synchronous streams: each block of input becomes raw deflate data
 * that ends on a byte (a sync flush), and such data joins up to one stream. The window before a block is its
 * dictionary, so that matches reach across.
 */
export function createNodeDeflateStream(level: number, sink: ByteSink): DeflateStream {
  return new BlockDeflateStream(level, sink)
}

class BlockDeflateStream implements DeflateStream {
  readonly #level: number
  readonly #sink: ByteSink
  /** The window before the current block, once there is one, then the block. Every block but the last is full. */
  readonly #buffer = new Uint8Array(WINDOW + BLOCK)
  #filled = WINDOW
  #adler = 1
  #hasBegun = false
  #isOver = false

  constructor(level: number, sink: ByteSink) {
    this.#level = level
    this.#sink = sink
  }

  push(input: Uint8Array, start = 0, end: number = input.length): void {
    assertRange(input, start, end)
    if (this.#isOver) throw streamIsOver()
    this.#adler = updateAdler32(this.#adler, input, start, end)
    while (start < end) {
      if (this.#filled === this.#buffer.length) this.#deflateBlock(false)
      const length = Math.min(end - start, this.#buffer.length - this.#filled)
      this.#buffer.set(input.subarray(start, start + length), this.#filled)
      this.#filled += length
      start += length
    }
  }

  finish(): void {
    if (this.#isOver) throw streamIsOver()
    this.#isOver = true
    this.#deflateBlock(true)
    const sum = this.#adler
    this.#sink(Uint8Array.of(sum >>> 24, sum >>> 16, sum >>> 8, sum))
  }

  #deflateBlock(isLast: boolean): void {
    const buffer = this.#buffer
    const isFirst = !this.#hasBegun
    this.#hasBegun = true
    if (isFirst) this.#sink(zlibHeader(this.#level))
    this.#sink(
      deflateRawSync(buffer.subarray(WINDOW, this.#filled), {
        level: this.#level,
        finishFlush: isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
        ...(isFirst ? {} : { dictionary: buffer.subarray(0, WINDOW) }),
      }),
    )
    buffer.copyWithin(0, this.#filled - WINDOW, this.#filled)
    this.#filled = WINDOW
  }
}

/** The two bytes before the deflate data (RFC 1950, section 2.2): a full window, and a hint at the level. */
function zlibHeader(level: number): Uint8Array {
  const hint = level < 2 ? 0 : level < 6 ? 1 : level === 6 ? 2 : 3
  const header = (0x78 << 8) | (hint << 6)
  const checked = header + 31 - (header % 31)
  return Uint8Array.of(checked >>> 8, checked)
}
