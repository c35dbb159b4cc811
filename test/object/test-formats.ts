import { createHash } from 'node:crypto'
import type { HashAlgorithm } from '../../src/codec/ports.ts'
import type { ObjectFormat } from '../../src/object/object-format.ts'

/** Object formats for tests of codecs, hashing with node:crypto, independent of the project's codec providers. */
export const SHA1: ObjectFormat = format('sha1', 20)
export const SHA256: ObjectFormat = format('sha256', 32)

function format(name: 'sha1' | 'sha256', length: number): ObjectFormat {
  const hash: HashAlgorithm = {
    name,
    length,
    create: () => {
      const running = createHash(name)
      return {
        update: (bytes, start = 0, end = bytes.length) => void running.update(bytes.subarray(start, end)),
        digestInto: (out, at) => {
          out.set(running.digest(), at)
        },
      }
    },
    digestRangeInto: (bytes, start, end, out, at) => {
      out.set(createHash(name).update(bytes.subarray(start, end)).digest(), at)
    },
  }
  return { name, idLength: length, hexLength: 2 * length, zeroId: '0'.repeat(2 * length), hash }
}
