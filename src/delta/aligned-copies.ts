/** Whole blocks of a result that are blocks of its base: from which block of the base on, from which of the result, and how many. */
export interface AlignedCopies {
  readonly base: number[]
  readonly result: number[]
  readonly length: number[]
}

const BLOCK = 64

/**
 * Finds the blocks of 64 bytes that the delta `delta[at, end)` copies as they are, where both messages begin with a header before their
 * first byte. Replaces what was in `found`. The delta is one that has been applied.
 */
export function findAlignedCopies(
  delta: Uint8Array,
  at: number,
  end: number,
  baseHeader: number,
  resultHeader: number,
  found: AlignedCopies,
): void {
  found.base.length = 0
  found.result.length = 0
  found.length.length = 0
  let position = resultHeader
  while (at < end) {
    const op = delta[at++]!
    if (op < 0x80) {
      at += op
      position += op
      continue
    }
    let offset = baseHeader
    let size = 0
    if (op & 0x01) offset += delta[at++]!
    if (op & 0x02) offset += delta[at++]! << 8
    if (op & 0x04) offset += delta[at++]! << 16
    if (op & 0x08) offset += delta[at++]! * 0x1000000
    if (op & 0x10) size = delta[at++]!
    if (op & 0x20) size |= delta[at++]! << 8
    if (op & 0x40) size |= delta[at++]! << 16
    if (size === 0) size = 0x10000
    if ((offset - position) % BLOCK === 0) {
      const first = Math.ceil(position / BLOCK)
      const behind = Math.floor((position + size) / BLOCK)
      if (behind > first) {
        found.base.push(first + (offset - position) / BLOCK)
        found.result.push(first)
        found.length.push(behind - first)
      }
    }
    position += size
  }
}
