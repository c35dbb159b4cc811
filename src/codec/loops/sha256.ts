import type { HashAlgorithm } from '../ports.ts'
import { createBlockHashAlgorithm } from './block-hash.ts'
import { compressSha256, createSha256State, SHA256_LENGTH } from './sha256-block.ts'

/** Creates SHA-256 in plain TypeScript. */
export function createSha256(): HashAlgorithm {
  return createBlockHashAlgorithm({
    name: 'sha256',
    length: SHA256_LENGTH,
    createState: createSha256State,
    compress: compressSha256,
  })
}
