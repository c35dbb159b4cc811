import { deflateSync } from 'node:zlib'
import type { Deflate } from '../ports.ts'
import { assertRange } from '../ranges.ts'
import { plainView, trimmed } from './plain-view.ts'

/** Creates a deflate on node:zlib; inputs smaller than `nativeFrom` bytes go to `small`. */
export function createNodeDeflate(level: number, small: Deflate, nativeFrom: number): Deflate {
  return {
    deflate(input, start = 0, end = input.length) {
      if (end - start < nativeFrom) return small.deflate(input, start, end)
      assertRange(input, start, end)
      const view = plainView(input, start, end)
      const result = deflateSync(view, { level, chunkSize: pieceSize(view.length) })
      return trimmed(result)
    },
  }
}

/** Room for the worst case of zlib's default settings up to a limit, so that small results do not pin big buffers. */
function pieceSize(length: number): number {
  return Math.min(length + (length >>> 12) + 64, 65536)
}
