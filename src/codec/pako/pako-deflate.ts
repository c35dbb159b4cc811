import { Z_FINISH, Z_OK, Z_STREAM_END, ZStream, zlibDeflate, zlibDeflateInit, zlibDeflateReset } from 'pako'
import { concatBytes } from '../../bytes/concat.ts'
import { GitError } from '../../errors.ts'
import type { Deflate } from '../ports.ts'
import { assertRange } from '../ranges.ts'

const PIECE = 65536

const NOTHING = /* @__PURE__ */ new Uint8Array(0)

/** Creates a deflate on pako's zlib-style calls, which share one reused encoder. */
export function createPakoDeflate(level: number): Deflate {
  let shared: ZStream | undefined
  const piece = new Uint8Array(PIECE)

  return {
    deflate(input, start = 0, end = input.length) {
      assertRange(input, start, end)
      shared ??= createZStream(level)
      zlibDeflateReset(shared)
      shared.input = input
      shared.next_in = start
      shared.avail_in = end - start
      const pieces: Uint8Array[] = []
      let status: number = Z_OK
      while (status !== Z_STREAM_END) {
        shared.output = piece
        shared.next_out = 0
        shared.avail_out = piece.length
        status = zlibDeflate(shared, Z_FINISH)
        pieces.push(piece.slice(0, shared.next_out))
      }
      // What is reused keeps nothing of the caller's alive.
      shared.input = NOTHING
      return concatBytes(pieces)
    },
  }
}

function createZStream(level: number): ZStream {
  const zstream = new ZStream()
  const status = zlibDeflateInit(zstream, level)
  if (status !== Z_OK) throw new GitError('INVALID_ARGUMENT', `pako does not take compression level ${level}`)
  return zstream
}
