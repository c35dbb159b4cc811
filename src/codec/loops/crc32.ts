import type { Crc32 } from '../ports.ts'
import { assertRange } from '../ranges.ts'
import { ViewCache } from './view-cache.ts'

/** The reflected polynomial of CRC-32 (ISO 3309). */
const POLYNOMIAL = 0xedb88320

/** Eight tables of 256 words: `TABLES[256 * k + byte]` is the checksum of `byte` followed by `k` zero bytes. */
const TABLES = /* @__PURE__ */ buildTables()

/** Creates CRC-32 in plain TypeScript, eight bytes a step ("slicing by 8"). */
export function createCrc32(): Crc32 {
  const views = new ViewCache()

  return {
    update(crc, bytes, start, end) {
      assertRange(bytes, start, end)
      let at = start
      let sum = ~crc
      if (end - start >= 8) {
        const view = views.viewOf(bytes)
        for (const last = end - 8; at <= last; at += 8) {
          const low = sum ^ view.getInt32(at, true)
          const high = view.getInt32(at + 4, true)
          sum =
            TABLES[1792 + (low & 255)]! ^
            TABLES[1536 + ((low >>> 8) & 255)]! ^
            TABLES[1280 + ((low >>> 16) & 255)]! ^
            TABLES[1024 + (low >>> 24)]! ^
            TABLES[768 + (high & 255)]! ^
            TABLES[512 + ((high >>> 8) & 255)]! ^
            TABLES[256 + ((high >>> 16) & 255)]! ^
            TABLES[high >>> 24]!
        }
      }
      for (; at < end; at++) sum = TABLES[(sum ^ bytes[at]!) & 255]! ^ (sum >>> 8)
      return ~sum >>> 0
    },
  }
}

function buildTables(): Int32Array {
  const tables = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let sum = byte
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? POLYNOMIAL : 0)
    tables[byte] = sum
  }
  for (let at = 256; at < tables.length; at++) {
    const shorter = tables[at - 256]!
    tables[at] = tables[shorter & 255]! ^ (shorter >>> 8)
  }
  return tables
}
