/** `packstone/codec/portable`: codecs that need nothing but the language itself. */
import { GitError } from '../../errors.ts'
import { checkedCompressionLevel } from '../compression-level.ts'
import { createSha1WithCollisionDetection } from '../sha1-collision-detection.ts'
import { createCrc32 } from '../loops/crc32.ts'
import { createDeflate } from '../loops/deflate/deflate.ts'
import { createInflate } from '../loops/inflate/inflate.ts'
import { createSha1 } from '../loops/sha1.ts'
import { createSha256 } from '../loops/sha256.ts'
import type { Codecs } from '../ports.ts'
import { createPakoDeflate } from './pako-deflate.ts'
import { createPakoInflate } from './pako-inflate.ts'
import { createSha1Uint8Array } from './sha1-uint8array.ts'

export type * from '../ports.ts'

export interface PortableCodecOptions {
  /** zlib compression level, 0 to 9; -1 and absent mean zlib's default, 6. */
  readonly level?: number
  /** Who inflates: our own loops (default), or `pako`, which is slower. */
  readonly inflate?: 'own' | 'pako'
  /** Who hashes SHA-1: our own loop (default), or the package `sha1-uint8array`, which is slower. */
  readonly sha1?: 'own' | 'sha1-uint8array'
  /**
   * Whether SHA-1 recognises messages made by a collision attack, and throws `CORRUPT_OBJECT` for them, at about half
   * the speed. Default: false. Not to be had from `sha1-uint8array`.
   */
  readonly collisionDetection?: boolean
}

/** Creates the codecs that run everywhere. */
export function createPortableCodecs(options: PortableCodecOptions = {}): Codecs {
  const level = checkedCompressionLevel(options.level)
  const inflate = checkedChoice('inflate', options.inflate, ['own', 'pako'])
  const sha1 = checkedChoice('sha1', options.sha1, ['own', 'sha1-uint8array'])
  const collisionDetection = options.collisionDetection === true
  if (collisionDetection && sha1 !== 'own') {
    throw new GitError(
      'INVALID_ARGUMENT',
      `option 'collisionDetection' needs our own SHA-1, but 'sha1' is '${sha1}'`,
    )
  }
  return {
    name: 'portable',
    sha1: collisionDetection
      ? createSha1WithCollisionDetection()
      : sha1 === 'own'
        ? createSha1()
        : createSha1Uint8Array(),
    sha256: createSha256(),
    inflate: inflate === 'own' ? createInflate() : createPakoInflate(),
    deflate: createDeflate(level, createPakoDeflate(level)),
    crc32: createCrc32(),
  }
}

/** Returns the chosen value, or the first of those allowed when the option is absent. */
function checkedChoice<T extends string>(
  option: string,
  value: T | undefined,
  allowed: readonly [T, ...T[]],
): T {
  if (value === undefined) return allowed[0]
  if (allowed.includes(value)) return value
  throw new GitError(
    'INVALID_ARGUMENT',
    `option '${option}' is '${value}'; expected one of: ${allowed.join(', ')}`,
    {
      details: { option, value },
    },
  )
}
