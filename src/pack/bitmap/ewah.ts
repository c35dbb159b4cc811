import { GitError } from '../../errors.ts'

/*
 * A compressed bitmap (git's technical/bitmap-format, appendix A), numbers in network byte order:
 *   u32 bits | u32 words W | W x u64 | u32 which word is the last marker
 * A marker says: its bit 0 repeated for as many words as bits 1 to 32 say, then as many literal words as bits 33 to 63 say.
 *
 * In memory a bitmap is an array of 32-bit words, two for each word of 64 bits, the lower half first; bit n is bit n % 32 of word n / 32.
 */
const HEADER = 8
const MAX_RUN = 0xffffffff
const MAX_LITERALS = 0x7fffffff

/** A bitmap with room for so many bits, all 0. */
export function createBits(count: number): Uint32Array {
  return new Uint32Array(2 * Math.ceil(count / 64))
}

export function hasBit(bits: Uint32Array, at: number): boolean {
  return (bits[at >>> 5]! & (1 << (at & 31))) !== 0
}

export function setBit(bits: Uint32Array, at: number): void {
  bits[at >>> 5]! |= 1 << (at & 31)
}

/** Encodes a bitmap; words of zeros at its end take no room. */
export function encodeEwah(bits: Uint32Array): Uint8Array {
  let words = bits.length / 2
  while (words > 0 && bits[2 * words - 1] === 0 && bits[2 * words - 2] === 0) words--
  // The worst case has a marker in front of every word.
  const bytes = new Uint8Array(HEADER + 8 * (2 * words + 1) + 4)
  const view = new DataView(bytes.buffer)
  let written = 0
  let last = 0
  let at = 0
  do {
    const bit = at < words && isFull(bits, at) ? 1 : 0
    const run = runLength(bits, at, words, bit)
    at += run
    const literalsAt = at
    while (at < words && at - literalsAt < MAX_LITERALS && !isEmpty(bits, at) && !isFull(bits, at)) at++
    const literals = at - literalsAt
    last = written
    const markerAt = HEADER + 8 * written++
    view.setUint32(markerAt, ((literals << 1) | (run >>> 31)) >>> 0)
    view.setUint32(markerAt + 4, ((run << 1) | bit) >>> 0)
    for (let word = literalsAt; word < at; word++) {
      view.setUint32(HEADER + 8 * written, bits[2 * word + 1]!)
      view.setUint32(HEADER + 8 * written++ + 4, bits[2 * word]!)
    }
  } while (at < words)
  view.setUint32(0, 64 * words)
  view.setUint32(4, written)
  view.setUint32(HEADER + 8 * written, last)
  return bytes.subarray(0, HEADER + 8 * written + 4)
}

function isEmpty(bits: Uint32Array, word: number): boolean {
  return bits[2 * word] === 0 && bits[2 * word + 1] === 0
}

function isFull(bits: Uint32Array, word: number): boolean {
  return bits[2 * word] === 0xffffffff && bits[2 * word + 1] === 0xffffffff
}

function runLength(bits: Uint32Array, from: number, words: number, bit: number): number {
  const same = bit === 1 ? isFull : isEmpty
  let at = from
  while (at < words && at - from < MAX_RUN && same(bits, at)) at++
  return at - from
}

/** Bytes that the encoded bitmap at `bytes[at]` takes. */
export function ewahLength(bytes: Uint8Array, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (at + HEADER > bytes.length) throw corrupt('it is cut short')
  const length = HEADER + 8 * view.getUint32(at + 4) + 4
  if (at + length > bytes.length) throw corrupt('it is cut short')
  return length
}

/**
 * Joins the encoded bitmap at `bytes[at]` to `bits`: by OR, or by XOR.
 *
 * @throws GitError `CORRUPT_INDEX` when it is malformed or has bits beyond the end of `bits`.
 */
export function joinEwah(bytes: Uint8Array, at: number, bits: Uint32Array, how: 'or' | 'xor'): void {
  const end = at + ewahLength(bytes, at) - 4
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let word = 0
  const join = (low: number, high: number): void => {
    if (low !== 0 || high !== 0) {
      if (2 * word + 1 >= bits.length) throw corrupt('it has more bits than there are objects')
      if (how === 'or') {
        bits[2 * word]! |= low
        bits[2 * word + 1]! |= high
      } else {
        bits[2 * word]! ^= low
        bits[2 * word + 1]! ^= high
      }
    }
    word++
  }
  for (let from = at + HEADER; from < end;) {
    const high = view.getUint32(from)
    const low = view.getUint32(from + 4)
    from += 8
    const run = (((high & 1) << 31) | (low >>> 1)) >>> 0
    const literals = high >>> 1
    if (from + 8 * literals > end) throw corrupt('a marker counts more words than there are')
    if ((low & 1) === 0) word += run
    else if (2 * (word + run) > bits.length) throw corrupt('it has more bits than there are objects')
    else for (let k = 0; k < run; k++) join(0xffffffff, 0xffffffff)
    for (let k = 0; k < literals; k++, from += 8) join(view.getUint32(from + 4), view.getUint32(from))
  }
}

function corrupt(how: string): GitError {
  return new GitError('CORRUPT_INDEX', `a compressed bitmap is corrupt: ${how}`)
}
