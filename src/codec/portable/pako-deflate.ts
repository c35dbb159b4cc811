import {
  Z_FINISH,
  Z_NO_FLUSH,
  Z_OK,
  Z_STREAM_END,
  ZStream,
  zlibDeflate,
  zlibDeflateInit,
  zlibDeflateReset,
} from 'pako'
import { concatBytes } from '../../bytes/concat.ts'
import { GitError } from '../../errors.ts'
import { streamIsOver } from '../corrupt-zlib.ts'
import type { ByteSink, Deflate, DeflateStream } from '../ports.ts'
import { assertRange } from '../ranges.ts'

const PIECE = 65536

/** Creates a deflate on pako's zlib-style calls; one-shot calls share one reused encoder. */
export function createPakoDeflate(level: number): Deflate {
  let shared: ZStream | undefined
  const piece = new Uint8Array(PIECE)

  return {
    deflate(input, start = 0, end = input.length) {
      assertRange(input, start, end)
      shared ??= createZStream(level)
      zlibDeflateReset(shared)
      const pieces: Uint8Array[] = []
      run(shared, input, start, end, piece, (part) => pieces.push(part.slice()), true)
      return concatBytes(pieces)
    },

    stream: (sink) => createPakoDeflateStream(level, sink),
  }
}

function createPakoDeflateStream(level: number, sink: ByteSink): DeflateStream {
  const zstream = createZStream(level)
  const piece = new Uint8Array(PIECE)
  let over = false

  return {
    push(input, start = 0, end = input.length) {
      assertRange(input, start, end)
      if (over) throw streamIsOver()
      run(zstream, input, start, end, piece, sink, false)
    },
    finish() {
      if (over) throw streamIsOver()
      over = true
      run(zstream, NOTHING, 0, 0, piece, sink, true)
    },
  }
}

const NOTHING = /* @__PURE__ */ new Uint8Array(0)

function createZStream(level: number): ZStream {
  const zstream = new ZStream()
  const status = zlibDeflateInit(zstream, level)
  if (status !== Z_OK) throw new GitError('INVALID_ARGUMENT', `pako does not take compression level ${level}`)
  return zstream
}

/** Feeds `input[start, end)` to the encoder and hands every filled piece, and at the end the last one, to the sink. */
function run(
  zstream: ZStream,
  input: Uint8Array,
  start: number,
  end: number,
  piece: Uint8Array<ArrayBuffer>,
  sink: ByteSink,
  finish: boolean,
): void {
  zstream.input = input
  zstream.next_in = start
  zstream.avail_in = end - start
  for (;;) {
    zstream.output = piece
    zstream.next_out = 0
    zstream.avail_out = piece.length
    const status = zlibDeflate(zstream, finish ? Z_FINISH : Z_NO_FLUSH)
    if (zstream.next_out > 0) sink(piece.subarray(0, zstream.next_out))
    if (status === Z_STREAM_END || (!finish && zstream.avail_out > 0)) break
  }
  zstream.input = NOTHING
}
