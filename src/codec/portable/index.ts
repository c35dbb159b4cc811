/** `packstone/codec/portable`: codecs that need nothing but the language itself. */
import { checkedCompressionLevel } from '../compression-level.ts'
import { createSha1WithCollisionDetection } from '../sha1-collision-detection.ts'
import { createCrc32 } from '../loops/crc32.ts'
import { createDeflate } from '../loops/deflate/deflate.ts'
import { createInflate } from '../loops/inflate/inflate.ts'
import { createSha1 } from '../loops/sha1.ts'
import { createSha256 } from '../loops/sha256.ts'
import type { Codecs } from '../ports.ts'

export type * from '../ports.ts'

export interface PortableCodecOptions {
  /** zlib compression level, 0 to 9; -1 and absent mean zlib's default, 6. */
  readonly level?: number
  /**
   * Whether SHA-1 recognises messages made by a collision attack, and throws `CORRUPT_OBJECT` for them, at about half
   * the speed. Default: false.
   */
  readonly collisionDetection?: boolean
}

/** Creates the codecs that run everywhere: our own loops. */
export function createPortableCodecs(options: PortableCodecOptions = {}): Codecs {
  return {
    name: 'portable',
    sha1: options.collisionDetection === true ? createSha1WithCollisionDetection() : createSha1(),
    sha256: createSha256(),
    inflate: createInflate(),
    deflate: createDeflate(checkedCompressionLevel(options.level)),
    crc32: createCrc32(),
  }
}
