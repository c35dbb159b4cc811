import * as crypto from 'node:crypto'
import type { HashAlgorithm } from '../ports.ts'
import { assertRange } from '../ranges.ts'
import { plainView } from './plain-view.ts'

/** Creates a hash on node:crypto; messages shorter than `nativeFrom` bytes go to `small`, where a native call costs more. */
export function createNodeHash(small: HashAlgorithm, nativeFrom: number): HashAlgorithm {
  const { name, length } = small
  const oneShot = oneShotHash()
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
        small.digestRangeInto(bytes, start, end, out, at)
        return
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
