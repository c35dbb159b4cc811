import { createNodeCodecs } from '../codec/node/index.ts'
import type { Codecs, HashAlgorithm } from '../codec/ports.ts'
import { createSha1WithCollisionDetection } from '../codec/sha1-collision-detection.ts'
import { objectFormat, type ObjectFormat, type ObjectFormatName } from '../object/object-format.ts'

/** What a command that looks into packs is told about them. */
export interface PackFormatOptions {
  readonly objectFormat: ObjectFormatName
  readonly portable?: boolean
  /** Recognise objects that were made by an attack on SHA-1. */
  readonly collisionDetection?: boolean
}

export interface PackFormat {
  readonly codecs: Codecs
  readonly format: ObjectFormat
  /** Names objects instead of the format's own hash, which is enough for checksums of files. */
  readonly objectHash?: HashAlgorithm
}

/** The codecs and the format that the options ask for. The portable provider is loaded only when it is wanted. */
export async function loadPackFormat(options: PackFormatOptions): Promise<PackFormat> {
  let codecs: Codecs
  if (options.portable === true) {
    const { createPortableCodecs } = await import('../codec/portable/index.ts')
    codecs = createPortableCodecs()
  } else {
    codecs = createNodeCodecs()
  }
  const format = objectFormat(options.objectFormat, codecs)
  if (options.collisionDetection !== true || format.name !== 'sha1') return { codecs, format }
  return { codecs, format, objectHash: createSha1WithCollisionDetection() }
}
