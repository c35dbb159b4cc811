import { createNodeCodecs } from '../../src/codec/node/index.ts'
import type { Codecs, HashAlgorithm } from '../../src/codec/ports.ts'

/** Codecs whose SHA-1 gives a message that contains `mark` whatever `digest` says: what an attack on SHA-1 looks like. */
export function createDoctoredCodecs(mark: string, digest: () => Uint8Array): Codecs {
  const codecs = createNodeCodecs()
  const sha1: HashAlgorithm = {
    ...codecs.sha1,
    digestRangeInto(bytes, start, end, out, at) {
      if (Buffer.from(bytes.subarray(start, end)).includes(mark)) out.set(digest(), at)
      else codecs.sha1.digestRangeInto(bytes, start, end, out, at)
    },
  }
  return { ...codecs, sha1 }
}
