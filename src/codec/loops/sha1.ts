import type { HashAlgorithm } from '../ports.ts'
import { createBlockHashAlgorithm } from './block-hash.ts'
import { compressSha1, createSha1State, SHA1_LENGTH } from './sha1-block.ts'

/** Creates SHA-1 in plain TypeScript. */
export function createSha1(): HashAlgorithm {
  return createBlockHashAlgorithm({
    name: 'sha1',
    length: SHA1_LENGTH,
    createState: createSha1State,
    compress: compressSha1,
  })
}
