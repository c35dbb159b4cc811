import * as zlib from 'node:zlib'
import type { Crc32 } from '../ports.ts'
import { assertRange } from '../ranges.ts'
import { plainView } from './plain-view.ts'

/** Creates CRC-32 on `zlib.crc32` where the runtime has it; ranges shorter than `nativeFrom` bytes go to `small`. */
export function createNodeCrc32(small: Crc32, nativeFrom: number): Crc32 {
  if (!('crc32' in zlib)) return small
  const native = zlib.crc32
  return {
    update(crc, bytes, start, end) {
      if (end - start < nativeFrom) return small.update(crc, bytes, start, end)
      assertRange(bytes, start, end)
      return native(plainView(bytes, start, end), crc)
    },
  }
}
