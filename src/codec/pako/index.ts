/** `packstone/codec/pako`: codecs of the packages `pako` and `sha1-uint8array`, slower than our own loops and held to the same bytes. */
import { checkedCompressionLevel } from '../compression-level.ts'
import { createCrc32 } from '../loops/crc32.ts'
import { createSha256 } from '../loops/sha256.ts'
import type { Codecs } from '../ports.ts'
import { createPakoDeflate } from './pako-deflate.ts'
import { createPakoInflate } from './pako-inflate.ts'
import { createSha1Uint8Array } from './sha1-uint8array.ts'

export type * from '../ports.ts'

export interface PakoCodecOptions {
  /** zlib compression level, 0 to 9; -1 and absent mean zlib's default, 6. */
  readonly level?: number
}

/**
 * Creates codecs that run everywhere, for who trusts widely used packages more than our loops, or has to tell which of both is at fault.
 * What the packages have not, SHA-256 and CRC-32, is our own. SHA-1 comes without collision detection.
 */
export function createPakoCodecs(options: PakoCodecOptions = {}): Codecs {
  return {
    name: 'pako',
    sha1: createSha1Uint8Array(),
    sha256: createSha256(),
    inflate: createPakoInflate(),
    deflate: createPakoDeflate(checkedCompressionLevel(options.level)),
    crc32: createCrc32(),
  }
}
