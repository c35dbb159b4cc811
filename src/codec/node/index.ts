/** `packstone/codec/node`: codecs on node:zlib and node:crypto, with our own loops where inputs are small. */
import { checkedCompressionLevel } from '../compression-level.ts'
import { createSha1WithCollisionDetection } from '../sha1-collision-detection.ts'
import { createCrc32 } from '../loops/crc32.ts'
import { createDeflate } from '../loops/deflate/deflate.ts'
import { createInflate } from '../loops/inflate/inflate.ts'
import { createSha1 } from '../loops/sha1.ts'
import { createSha256 } from '../loops/sha256.ts'
import type { Codecs } from '../ports.ts'
import { createNodeCrc32 } from './node-crc32.ts'
import { createNodeDeflate } from './node-deflate.ts'
import { createNodeHash } from './node-hash.ts'
import { createNodeInflate } from './node-inflate.ts'

export type * from '../ports.ts'

export interface NodeCodecOptions {
  /** zlib compression level, 0 to 9; -1 and absent mean zlib's default, 6. */
  readonly level?: number
  /**
   * Whether SHA-1 recognises messages made by a collision attack, and throws `CORRUPT_OBJECT` for them. That is our own
   * loop for messages of any size, some six times slower than native SHA-1 on large ones. Default: false.
   */
  readonly collisionDetection?: boolean
}

/**
 * From these sizes in bytes on a call into native code is faster than our own loop. Measured on Node 20, x64, with the
 * entries of real packs; for inflate it is the size of the output that counts.
 */
const NATIVE_INFLATE_FROM = 1024
const NATIVE_SHA1_FROM = 256
const NATIVE_SHA256_FROM = 48
const NATIVE_CRC32_FROM = 256
const NATIVE_DEFLATE_FROM = 512

/** Creates the codecs for Node.js and for runtimes that offer node:zlib and node:crypto. */
export function createNodeCodecs(options: NodeCodecOptions = {}): Codecs {
  const level = checkedCompressionLevel(options.level)
  return {
    name: 'node',
    sha1:
      options.collisionDetection === true
        ? createSha1WithCollisionDetection()
        : createNodeHash(createSha1(), NATIVE_SHA1_FROM),
    sha256: createNodeHash(createSha256(), NATIVE_SHA256_FROM),
    inflate: createNodeInflate(createInflate(), NATIVE_INFLATE_FROM),
    deflate: createNodeDeflate(level, createDeflate(level), NATIVE_DEFLATE_FROM),
    crc32: createNodeCrc32(createCrc32(), NATIVE_CRC32_FROM),
  }
}
