import { inflateSync } from 'node:zlib'
import { inflatedSizeLimit, trailingBytes } from '../corrupt-zlib.ts'
import type { Inflate } from '../ports.ts'
import { assertRange } from '../ranges.ts'
import { plainView, trimmed } from './plain-view.ts'

/** The most that node:zlib is asked to produce in one call; it can not return arrays of any length. */
const NATIVE_LIMIT = 0x7fffffff

/**
 * Creates an inflate on node:zlib; outputs smaller than `nativeFrom` bytes, and streams, go to `small`.
 *
 * A call that node:zlib refuses is repeated by `small`, whose verdict counts: it tells a cut stream from a damaged
 * one, and both providers then say the same about the same bytes.
 */
export function createNodeInflate(small: Inflate, nativeFrom: number): Inflate {
  return {
    inflateInto(input, start, end, out, at, size) {
      if (size < nativeFrom) return small.inflateInto(input, start, end, out, at, size)
      assertRange(input, start, end)
      assertRange(out, at, at + size)
      const result = tryInflate(plainView(input, start, end), size, size + 1)
      if (result?.output.length !== size) return small.inflateInto(input, start, end, out, at, size)
      out.set(result.output, at)
      return result.consumed
    },

    inflate(input, maxSize) {
      if (input.length < nativeFrom / 4) return small.inflate(input, maxSize)
      const result = tryInflate(
        plainView(input, 0, input.length),
        maxSize,
        Math.min(4 * input.length, maxSize + 1),
      )
      if (result === undefined) return small.inflate(input, maxSize)
      if (result.output.length > maxSize) throw inflatedSizeLimit(maxSize)
      if (result.consumed !== input.length) throw trailingBytes(result.consumed, input.length)
      return trimmed(result.output)
    },

    stream: (sink, size) => small.stream(sink, size),
  }
}

interface NativeResult {
  readonly output: Uint8Array
  readonly consumed: number
}

/** Inflates the stream at the beginning of `input`, or returns undefined when node:zlib throws for whatever reason. */
function tryInflate(input: Uint8Array, maxSize: number, chunkSize: number): NativeResult | undefined {
  let result: unknown
  try {
    result = inflateSync(input, {
      info: true,
      maxOutputLength: Math.min(Math.max(maxSize, 1), NATIVE_LIMIT),
      chunkSize: Math.max(chunkSize, 64),
    })
  } catch {
    return undefined
  }
  return isInfo(result) ? { output: result.buffer, consumed: result.engine.bytesWritten } : undefined
}

/** The shape that `info: true` asks for. */
function isInfo(result: unknown): result is { buffer: Uint8Array; engine: { bytesWritten: number } } {
  return (
    typeof result === 'object' &&
    result !== null &&
    'buffer' in result &&
    result.buffer instanceof Uint8Array &&
    'engine' in result &&
    typeof result.engine === 'object' &&
    result.engine !== null &&
    'bytesWritten' in result.engine &&
    typeof result.engine.bytesWritten === 'number'
  )
}
