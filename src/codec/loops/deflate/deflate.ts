import { updateAdler32 } from '../adler32.ts'
import type { Deflate } from '../../ports.ts'
import { assertRange } from '../../ranges.ts'
import { BLOCK_SYMBOLS, BlockWriter } from './block-writer.ts'
import { MatchFinder } from './match-finder.ts'

/** The second byte of the zlib header by level: how hard the encoder tried, and what makes both bytes a multiple of 31. */
const LEVEL_BYTE = [0x01, 0x01, 0x5e, 0x5e, 0x5e, 0x5e, 0x9c, 0xda, 0xda, 0xda] as const

/** Result buffers larger than this are not kept for the next call. */
const KEPT = 1 << 20

/**
 * Creates a deflate on our own loops, for level 0 to 9. It searches as zlib does on that level, so that its streams are as long, give or
 * take a hundredth; and one call costs little beyond its bytes, because nothing is cleared or allocated but the result.
 *
 * Memory between calls: about 0.5 MiB.
 *
 * @param lastPosition see {@link MatchFinder}.
 */
export function createDeflate(level: number, lastPosition?: number): Deflate {
  const finder = new MatchFinder(level, lastPosition)
  const writer = new BlockWriter()
  let scratch = new Uint8Array(4096)

  return {
    deflate(input, start = 0, end = input.length) {
      assertRange(input, start, end)
      const size = maxDeflatedSize(end - start)
      const out = size <= scratch.length ? scratch : new Uint8Array(size)
      if (out.length <= KEPT) scratch = out
      out[0] = 0x78
      out[1] = LEVEL_BYTE[level]!
      writer.reset(out, 2)
      if (level === 0) writer.store(input, start, end, true)
      else finder.deflate(input, start, end, writer)
      const sum = updateAdler32(1, input, start, end)
      let { at } = writer
      out[at++] = sum >>> 24
      out[at++] = sum >>> 16
      out[at++] = sum >>> 8
      out[at++] = sum
      return out.slice(0, at)
    },
  }
}

/** No block is longer than its stored form, with five bytes for every 64 KiB of it; and all but the last have so many symbols. */
function maxDeflatedSize(size: number): number {
  return size + 5 * (Math.ceil(size / 0xffff) + Math.ceil(size / BLOCK_SYMBOLS)) + 32
}
