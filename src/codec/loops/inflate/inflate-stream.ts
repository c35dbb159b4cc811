import { streamIsOver, wrongInflatedSize } from '../../corrupt-zlib.ts'
import type { ByteSink, InflateStream } from '../../ports.ts'
import { assertRange } from '../../ranges.ts'
import { updateAdler32 } from '../adler32.ts'
import { inflateRaw } from './inflate-raw.ts'
import { InflateState } from './inflate-state.ts'
import { assertAdler32, assertZlibHeader, HEADER_LENGTH, TRAILER_LENGTH } from './zlib-frame.ts'

/** How far back a match may reach (RFC 1951, section 2). */
const WINDOW = 32768

/** Output that is handed to the sink at once, at most. The window lies before it in the same array. */
const PIECE = 65536

/**
 * Room for input that one step left over and for enough new input to let the next step get on: a step needs at most the
 * 563 bytes of the longest block header.
 */
const CARRY = 2048

/** Starts an inflate whose input arrives in pieces of any size, and whose output is of `size` bytes where that is given. */
export function createInflateStream(sink: ByteSink, size?: number): InflateStream {
  return new ZlibInflateStream(sink, size)
}

class ZlibInflateStream implements InflateStream {
  readonly #sink: ByteSink
  readonly #size: number | undefined
  /** Bytes that may still come out. */
  #left: number
  readonly #state = new InflateState()
  readonly #out = new Uint8Array(WINDOW + PIECE)
  /** Input that was pushed but is not enough for a step yet, in the first `#carried` bytes. */
  readonly #carry = new Uint8Array(CARRY)
  #carried = 0
  #adler = 1
  #part: 'header' | 'body' | 'trailer' | 'done' | 'failed' = 'header'

  constructor(sink: ByteSink, size: number | undefined) {
    this.#sink = sink
    this.#size = size
    this.#left = size ?? Infinity
    this.#state.setOutput(this.#out, 0, 0, Math.min(this.#out.length, this.#left))
  }

  get done(): boolean {
    return this.#part === 'done'
  }

  push(input: Uint8Array, start = 0, end: number = input.length): number {
    assertRange(input, start, end)
    if (this.#part === 'failed') throw streamIsOver()
    if (this.#part === 'done') return 0
    try {
      return this.#take(input, start, end)
    } catch (error) {
      this.#part = 'failed'
      throw error
    } finally {
      this.#state.setInput(this.#carry, 0, 0)
    }
  }

  #take(input: Uint8Array, start: number, end: number): number {
    const carry = this.#carry
    let pos = start
    if (this.#carried > 0) {
      const added = Math.min(end - start, CARRY - this.#carried)
      carry.set(input.subarray(start, start + added), this.#carried)
      const filled = this.#carried + added
      const taken = this.#step(carry, 0, filled)
      if (taken < this.#carried) {
        // Not even what was left over before is enough for a step: the whole input joins it.
        carry.copyWithin(0, taken, filled)
        this.#carried = filled - taken
        return end - start
      }
      pos = start + taken - this.#carried
      this.#carried = 0
    }
    pos = this.#step(input, pos, end)
    if (this.done) return pos - start
    this.#carried = end - pos
    carry.set(input.subarray(pos, end))
    return end - start
  }

  /** Takes as much of `input[pos, end)` as it can make use of, and returns the index behind it. */
  #step(input: Uint8Array, pos: number, end: number): number {
    if (this.#part === 'header') {
      if (end - pos < HEADER_LENGTH) return pos
      assertZlibHeader(input[pos]!, input[pos + 1]!)
      pos += HEADER_LENGTH
      this.#part = 'body'
    }
    if (this.#part === 'body') {
      pos = this.#inflateBody(input, pos, end)
    }
    if (this.#part === 'trailer' && end - pos >= TRAILER_LENGTH) {
      assertAdler32(input, pos, this.#adler)
      pos += TRAILER_LENGTH
      this.#part = 'done'
    }
    return pos
  }

  #inflateBody(input: Uint8Array, pos: number, end: number): number {
    const state = this.#state
    const out = this.#out
    state.setInput(input, pos, end)
    for (;;) {
      const begin = state.at
      const outcome = inflateRaw(state)
      this.#adler = updateAdler32(this.#adler, out, begin, state.at)
      this.#left -= state.at - begin
      if (state.at > begin) this.#sink(out.subarray(begin, state.at))
      if (outcome === 'output-full') {
        if (this.#left === 0) throw wrongInflatedSize(this.#size ?? 0, 'more')
        out.copyWithin(0, state.at - WINDOW, state.at)
        state.setOutput(out, 0, WINDOW, Math.min(out.length, WINDOW + this.#left))
        continue
      }
      if (outcome === 'end') {
        if (this.#size !== undefined && this.#left > 0)
          throw wrongInflatedSize(this.#size, `${this.#size - this.#left} bytes`)
        this.#part = 'trailer'
      }
      return state.pos
    }
  }
}
