import { createHash } from 'sha1-uint8array'
import type { HashAlgorithm } from '../ports.ts'
import { assertRange } from '../ranges.ts'

/** SHA-1 by the package `sha1-uint8array`. */
export function createSha1Uint8Array(): HashAlgorithm {
  return {
    name: 'sha1',
    length: 20,
    create() {
      const hash = createHash()
      return {
        update(bytes, start = 0, end = bytes.length) {
          assertRange(bytes, start, end)
          hash.update(plainView(bytes, start, end))
        },
        digestInto(out, at) {
          assertRange(out, at, at + 20)
          out.set(hash.digest(), at)
        },
      }
    },
    digestRangeInto(bytes, start, end, out, at) {
      assertRange(bytes, start, end)
      assertRange(out, at, at + 20)
      out.set(
        createHash()
          .update(plainView(bytes, start, end))
          .digest(),
        at,
      )
    },
  }
}

function plainView(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start)
}
