import { deflateSync } from 'node:zlib'
import type { Deflate } from '../ports.ts'
import { assertRange } from '../ranges.ts'
import { createNodeDeflateStream } from './node-deflate-stream.ts'
import { plainView, trimmed } from './plain-view.ts'

/** Creates a deflate on node:zlib. */
export function createNodeDeflate(level: number): Deflate {
  return {
    deflate(input, start = 0, end = input.length) {
      assertRange(input, start, end)
      const view = plainView(input, start, end)
      const result = deflateSync(view, { level, chunkSize: pieceSize(view.length) })
      return trimmed(result)
    },
    stream: (sink) => createNodeDeflateStream(level, sink),
  }
}

/** Room for the worst case of zlib's default settings up to a limit, so that small results do not pin big buffers. */
function pieceSize(length: number): number {
  return Math.min(length + (length >>> 12) + 64, 65536)
}
