import { inflatedSizeLimit, trailingBytes, truncatedZlib, wrongInflatedSize } from '../../corrupt-zlib.ts'
import type { Inflate } from '../../ports.ts'
import { assertRange } from '../../ranges.ts'
import { updateAdler32 } from '../adler32.ts'
import { inflateRaw } from './inflate-raw.ts'
import { InflateState } from './inflate-state.ts'
import { createInflateStream } from './inflate-stream.ts'
import { assertAdler32, assertZlibHeader, HEADER_LENGTH, TRAILER_LENGTH } from './zlib-frame.ts'

/** Creates inflate in plain TypeScript; one-shot calls share one state and allocate nothing but what they return. */
export function createInflate(): Inflate {
  const state = new InflateState()

  return {
    inflateInto(input, start, end, out, at, size) {
      assertRange(input, start, end)
      assertRange(out, at, at + size)
      if (end - start < HEADER_LENGTH) return -1
      assertZlibHeader(input[start]!, input[start + 1]!)
      state.restart()
      state.setInput(input, start + HEADER_LENGTH, end)
      state.setOutput(out, at, at, at + size)
      const outcome = inflateRaw(state)
      const produced = state.at - at
      const { pos } = state
      state.release()
      if (outcome === 'output-full') throw wrongInflatedSize(size, 'more')
      if (outcome === 'input-end') return -1
      if (produced !== size) throw wrongInflatedSize(size, `${produced} bytes`)
      if (end - pos < TRAILER_LENGTH) return -1
      assertAdler32(input, pos, updateAdler32(1, out, at, at + size))
      return pos + TRAILER_LENGTH - start
    },

    inflate(input, maxSize) {
      if (input.length < HEADER_LENGTH) throw truncatedZlib(input.length)
      assertZlibHeader(input[0]!, input[1]!)
      let out = new Uint8Array(Math.min(maxSize, Math.max(4 * input.length, 256)))
      state.restart()
      state.setInput(input, HEADER_LENGTH, input.length)
      state.setOutput(out, 0, 0, out.length)
      let outcome = inflateRaw(state)
      while (outcome === 'output-full') {
        if (out.length >= maxSize) throw inflatedSizeLimit(maxSize)
        const grown = new Uint8Array(Math.min(maxSize, 2 * out.length))
        grown.set(out)
        out = grown
        state.setOutput(out, 0, state.at, out.length)
        outcome = inflateRaw(state)
      }
      const { pos, at: size } = state
      state.release()
      if (outcome === 'input-end' || input.length - pos < TRAILER_LENGTH) throw truncatedZlib(input.length)
      assertAdler32(input, pos, updateAdler32(1, out, 0, size))
      if (pos + TRAILER_LENGTH < input.length) throw trailingBytes(pos + TRAILER_LENGTH, input.length)
      return size === out.length ? out : out.slice(0, size)
    },

    stream: createInflateStream,
  }
}
