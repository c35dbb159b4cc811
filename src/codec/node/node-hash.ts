import * as crypto from 'node:crypto'
import type { HashAlgorithm } from '../ports.ts'
import { assertRange } from '../ranges.ts'
import { plainView } from './plain-view.ts'

/** So many small messages are hashed natively: a process that ends soon has no use for a loop that must be compiled first. */
const FEW = 1 << 15

/**
 * Creates a hash on node:crypto. Messages shorter than `nativeFrom` bytes go to `small`, where a native call costs more, once there have
 * been many of them.
 */
export function createNodeHash(small: HashAlgorithm, nativeFrom: number): HashAlgorithm {
  const { name, length } = small
  const oneShot = oneShotHash()
  let smallOnes = oneShot === undefined ? FEW : 0
  return {
    name,
    length,
    create() {
      const hash = crypto.createHash(name)
      return {
        update(bytes, start = 0, end = bytes.length) {
          assertRange(bytes, start, end)
          hash.update(plainView(bytes, start, end))
        },
        digestInto(out, at) {
          assertRange(out, at, at + length)
          out.set(hash.digest(), at)
        },
      }
    },
    digestRangeInto(bytes, start, end, out, at) {
      if (end - start < nativeFrom) {
        if (smallOnes === FEW) {
          small.digestRangeInto(bytes, start, end, out, at)
          return
        }
        smallOnes++
      }
      assertRange(bytes, start, end)
      assertRange(out, at, at + length)
      const view = plainView(bytes, start, end)
      if (oneShot === undefined) {
        out.set(crypto.createHash(name).update(view).digest(), at)
        return
      }
      // A string of one character per byte is the cheapest form in which a digest crosses from native code.
      const digest = oneShot(name, view, 'binary')
      for (let index = 0; index < length; index++) out[at + index] = digest.charCodeAt(index)
    },
  }
}

/** `crypto.hash`, which runtimes that imitate Node may lack. */
function oneShotHash(): ((name: string, data: Uint8Array, encoding: 'binary') => string) | undefined {
  return 'hash' in crypto ? crypto.hash : undefined
}
