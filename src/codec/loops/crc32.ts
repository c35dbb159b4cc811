import type { Crc32 } from '../ports.ts'
import { assertRange } from '../ranges.ts'

/** The reflected polynomial of CRC-32 (ISO 3309). */
const POLYNOMIAL = 0xedb88320

/** Eight tables of 256 words: `TABLES[256 * k + byte]` is the checksum of `byte` followed by `k` zero bytes. */
const TABLES = /* @__PURE__ */ buildTables()

/** Creates CRC-32 in plain TypeScript, eight bytes a step ("slicing by 8"). */
export function createCrc32(): Crc32 {
  return { update: updateCrc32 }
}

/** Continues the CRC-32 `crc` over `bytes[start, end)`. */
export function updateCrc32(crc: number, bytes: Uint8Array, start: number, end: number): number {
  assertRange(bytes, start, end)
  let at = start
  let sum = ~crc
  for (const last = end - 8; at <= last; at += 8) {
    sum ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    sum =
      TABLES[1792 + (sum & 255)]! ^
      TABLES[1536 + ((sum >>> 8) & 255)]! ^
      TABLES[1280 + ((sum >>> 16) & 255)]! ^
      TABLES[1024 + (sum >>> 24)]! ^
      TABLES[768 + bytes[at + 4]!]! ^
      TABLES[512 + bytes[at + 5]!]! ^
      TABLES[256 + bytes[at + 6]!]! ^
      TABLES[bytes[at + 7]!]!
  }
  for (; at < end; at++) sum = TABLES[(sum ^ bytes[at]!) & 255]! ^ (sum >>> 8)
  return ~sum >>> 0
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
