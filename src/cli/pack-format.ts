import { createNodeCodecs } from '../codec/node/index.ts'
import type { Codecs } from '../codec/ports.ts'
import { objectFormat, type ObjectFormat, type ObjectFormatName } from '../object/object-format.ts'

/** What a command that looks into packs is told about them. */
export interface PackFormatOptions {
  readonly objectFormat: ObjectFormatName
  readonly portable?: boolean
  /** Recognise objects that were made by an attack on SHA-1. */
  readonly collisionDetection?: boolean
}

/** The codecs and the format that the options ask for. The portable provider is loaded only when it is wanted. */
export async function loadPackFormat(
  options: PackFormatOptions,
): Promise<{ readonly codecs: Codecs; readonly format: ObjectFormat }> {
  const { collisionDetection = false } = options
  let codecs: Codecs
  if (options.portable === true) {
    const { createPortableCodecs } = await import('../codec/portable/index.ts')
    codecs = createPortableCodecs({ collisionDetection })
  } else {
    codecs = createNodeCodecs({ collisionDetection })
  }
  return { codecs, format: objectFormat(options.objectFormat, codecs) }
}
