/** Every promise of the codec ports, free of any test runner, so that it can check a provider in any runtime. */
import type { Codecs } from '../../src/codec/ports.ts'
import type { CodecCase } from './codec-case.ts'
import { deflateCases } from './codec-deflate-contract.ts'
import { crc32Cases, hashCases } from './codec-hash-contract.ts'
import { inflateCases } from './codec-inflate-contract.ts'

/** The promises one by one, for a test runner to list. */
export const codecContract: readonly CodecCase[] = [
  ...hashCases,
  ...crc32Cases,
  ...inflateCases,
  ...deflateCases,
]

/** Checks all of them; throws at the first that is broken, naming it. */
export function checkCodecContract(codecs: Codecs): void {
  for (const { name, run } of codecContract) {
    try {
      run(codecs)
    } catch (error) {
      throw new Error(`codecs '${codecs.name}' break a promise: ${name}`, { cause: error })
    }
  }
}
