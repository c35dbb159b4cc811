import { createNodeCodecs } from '../../codec/node/index.ts'
import type { Codecs } from '../../codec/ports.ts'

/** Which codecs a thread makes for itself: functions cannot be sent to it. */
export interface ThreadCodecs {
  readonly provider: 'node' | 'portable'
  readonly collisionDetection: boolean
  /** Compression level; default 6. */
  readonly level?: number
}

/** Makes the codecs. The portable provider is loaded only when it is wanted. */
export async function createThreadCodecs({ provider, ...options }: ThreadCodecs): Promise<Codecs> {
  if (provider === 'node') return createNodeCodecs(options)
  const { createPortableCodecs } = await import('../../codec/portable/index.ts')
  return createPortableCodecs(options)
}
