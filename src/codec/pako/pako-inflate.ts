import {
  type Z_CallStatus,
  Z_BUF_ERROR,
  Z_FINISH,
  Z_NEED_DICT,
  Z_NO_FLUSH,
  Z_OK,
  Z_STREAM_END,
  ZStream,
  zlibInflate,
  zlibInflateInit,
  zlibInflateReset,
} from 'pako'
import {
  corruptZlib,
  inflatedSizeLimit,
  streamIsOver,
  trailingBytes,
  truncatedZlib,
  wrongInflatedSize,
} from '../corrupt-zlib.ts'
import { concatBytes } from '../../bytes/concat.ts'
import type { ByteSink, Inflate, InflateStream } from '../ports.ts'
import { assertRange } from '../ranges.ts'

const PIECE = 65536

/**
 * Creates an inflate on pako's zlib-style calls; one-shot calls share one reused decoder.
 *
 * pako holds a match to the window size that the stream's header declares, as RFC 1950 demands; zlib does not.
 */
export function createPakoInflate(): Inflate {
  const shared = createZStream()
  const overflow = new Uint8Array(1)

  return {
    inflateInto(input, start, end, out, at, size) {
      assertRange(input, start, end)
      assertRange(out, at, at + size)
      zlibInflateReset(shared)
      giveInput(shared, input, start, end)
      giveOutput(shared, out, at, size)
      let status = zlibInflate(shared, Z_FINISH)
      if (status === Z_BUF_ERROR && shared.avail_out === 0) {
        // The output is full and the end not seen: room for one more byte tells a long stream from a cut one.
        giveOutput(shared, overflow, 0, 1)
        status = zlibInflate(shared, Z_FINISH)
        if (shared.total_out > size) {
          release(shared)
          throw wrongInflatedSize(size, 'more')
        }
      }
      const produced = shared.total_out
      const consumed = shared.next_in - start
      release(shared)
      if (status === Z_STREAM_END) {
        if (produced !== size) throw wrongInflatedSize(size, `${produced} bytes`)
        return consumed
      }
      if (status === Z_BUF_ERROR) return -1
      throw failure(shared, status)
    },

    inflate(input, maxSize) {
      const pieces: Uint8Array[] = []
      let size = 0
      const stream = createPakoInflateStream((piece) => {
        size += piece.length
        if (size > maxSize) throw inflatedSizeLimit(maxSize)
        pieces.push(piece.slice())
      })
      const consumed = stream.push(input)
      if (!stream.done) throw truncatedZlib(input.length)
      if (consumed !== input.length) throw trailingBytes(consumed, input.length)
      return concatBytes(pieces)
    },

    stream: createPakoInflateStream,
  }
}

function createPakoInflateStream(sink: ByteSink, size?: number): InflateStream {
  const zstream = createZStream()
  const piece = new Uint8Array(PIECE)
  let left = size ?? Infinity
  let state: 'running' | 'done' | 'failed' = 'running'

  return {
    get done() {
      return state === 'done'
    },
    push(input, start = 0, end = input.length) {
      assertRange(input, start, end)
      if (state === 'failed') throw streamIsOver()
      if (state === 'done' || start === end) return 0
      state = 'failed'
      giveInput(zstream, input, start, end)
      for (;;) {
        // Where nothing more may come, room for one byte tells a long stream from one that lacks its end.
        giveOutput(zstream, piece, 0, Math.max(1, Math.min(PIECE, left)))
        const status = zlibInflate(zstream, Z_NO_FLUSH)
        if (zstream.next_out > left) throw wrongInflatedSize(size ?? 0, 'more')
        if (status !== Z_OK && status !== Z_STREAM_END && status !== Z_BUF_ERROR)
          throw failure(zstream, status)
        left -= zstream.next_out
        if (zstream.next_out > 0) sink(piece.subarray(0, zstream.next_out))
        if (status === Z_STREAM_END && size !== undefined && left > 0)
          throw wrongInflatedSize(size, `${size - left} bytes`)
        if (status !== Z_STREAM_END && zstream.avail_out === 0) continue
        state = status === Z_STREAM_END ? 'done' : 'running'
        const consumed = zstream.next_in - start
        zstream.input = NOTHING
        return consumed
      }
    },
  }
}

const NOTHING = /* @__PURE__ */ new Uint8Array(0)

function createZStream(): ZStream {
  const zstream = new ZStream()
  const status = zlibInflateInit(zstream)
  if (status !== Z_OK) throw failure(zstream, status)
  return zstream
}

function giveInput(zstream: ZStream, input: Uint8Array, start: number, end: number): void {
  zstream.input = input
  zstream.next_in = start
  zstream.avail_in = end - start
}

function giveOutput(zstream: ZStream, out: Uint8Array, at: number, size: number): void {
  // pako asks for an array over a plain ArrayBuffer but only ever reads and writes its elements.
  zstream.output = out as Uint8Array<ArrayBuffer>
  zstream.next_out = at
  zstream.avail_out = size
}

/** Lets go of the caller's buffers, so that a reused decoder does not keep them alive. */
function release(zstream: ZStream): void {
  zstream.input = NOTHING
  zstream.output = NOTHING
}

function failure(zstream: ZStream, status: Z_CallStatus): Error {
  if (status === Z_NEED_DICT) return corruptZlib('it asks for a preset dictionary')
  return corruptZlib(zstream.msg === '' ? `pako reports status ${status}` : zstream.msg)
}
