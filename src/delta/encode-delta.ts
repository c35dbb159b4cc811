import { BLOCK } from './block-hash.ts'
import { commonBackward, commonForward } from './common-run.ts'
import type { DeltaIndex } from './delta-index.ts'
import type { DeltaTarget } from './delta-target.ts'

/** The most that one copy takes: packs of version 2 have sixteen bits for it, and 0 stands for this. */
const MAX_COPY = 0x10000
/** The most that one insert takes. */
const MAX_INSERT = 127
/** The longest copy instruction within {@link MAX_COPY}. */
const COPY_OP = 7
/** A common beginning shorter than this is left to the search. */
const MIN_HEAD = 4
/** A common end shorter than this is left to the search. */
const MIN_TAIL = 8
/** How far literals may overdraw the budget: a match behind them may still take so many of them back. */
const SLACK = 2 * BLOCK

/**
 * Encodes `target` as a delta on the base of `index` (gitformat-pack, "Deltified representation"), sizes included, into
 * `out[at, …)`, and returns its length; `undefined` when it would be longer than `maxSize`, which is noticed early.
 *
 * `out` must have room for `maxSize` bytes there. What it holds after a failure is meaningless. Both objects are below 2 GiB.
 */
export function encodeDelta(
  index: DeltaIndex,
  target: DeltaTarget,
  out: Uint8Array,
  at: number,
  maxSize: number,
): number | undefined {
  const bytes = target.bytes
  const size = bytes.length
  const baseSize = index.bytes.length
  const limit = at + maxSize
  if (limit - at < 20 && limit - at < sizeLength(baseSize) + sizeLength(size)) return undefined
  let pos = putSize(baseSize, out, at)
  pos = putSize(size, out, pos)

  const shorter = baseSize < size ? baseSize : size
  let done = commonForward(index.view, 0, target.view, 0, shorter)
  if (done < MIN_HEAD && done < size) done = 0
  let tail = shorter > done ? commonBackward(index.view, baseSize, target.view, size, shorter - done) : 0
  if (tail < MIN_TAIL && done + tail < size) tail = 0
  const middleEnd = size - tail
  if (done > 0) {
    pos = putCopy(0, done, out, pos, limit)
    if (pos < 0) return undefined
  }

  // `done` bytes of the target are encoded; those in [done, seek) will be inserted unless a match takes them back.
  if (done < middleEnd && size >= BLOCK && index.prepare()) {
    const { filter, filterShift } = index
    const lastBlock = size - BLOCK
    let hashes = target.hashes
    let hashed = 0
    // A block that begins before what is already encoded still finds where to go on.
    let seek = done < BLOCK ? 0 : done - BLOCK + 1
    let stop = Math.min(middleEnd, lastBlock + 1, done + limit - pos + SLACK)
    for (;;) {
      if (seek >= stop) break
      if (seek >= hashed || seek < 0) {
        hashed = target.hashed(seek)
        hashes = target.hashes
      }
      const end = stop < hashed ? stop : hashed
      let bit = 0
      while (seek < end) {
        bit = hashes[seek]! >>> filterShift
        if ((filter[bit >>> 5]! & (1 << bit)) !== 0) break
        seek++
      }
      if (seek >= end) continue
      const ahead = seek < done ? done - seek : 0
      let start = seek + ahead
      let length = index.findMatch(hashes[seek]!, target.view, start, size, ahead)
      // What is left of a block behind what is encoded may match for less: where a copy takes as much as that, deflated, as the bytes.
      if (length < BLOCK) {
        seek++
        continue
      }
      let from = index.matchAt
      if (start > done && from > 0) {
        const room = start - done < from ? start - done : from
        const before = commonBackward(index.view, from, target.view, start, room)
        start -= before
        from -= before
        length += before
      }
      if (start > done) {
        pos = putInserts(bytes, done, start, out, pos, limit)
        if (pos < 0) return undefined
      }
      pos = putCopy(from, length, out, pos, limit)
      if (pos < 0) return undefined
      done = start + length
      if (done >= middleEnd) break
      seek = done - BLOCK + 1 > seek ? done - BLOCK + 1 : seek + 1
      stop = Math.min(middleEnd, lastBlock + 1, done + limit - pos + SLACK)
    }
  }

  if (done < middleEnd) {
    pos = putInserts(bytes, done, middleEnd, out, pos, limit)
    if (pos < 0) return undefined
    done = middleEnd
  }
  if (done < size) {
    pos = putCopy(baseSize - (size - done), size - done, out, pos, limit)
    if (pos < 0) return undefined
  }
  return pos - at
}

/** The longest delta that {@link encodeDelta} makes of a target of this size. */
export function maxDeltaSize(size: number): number {
  return size + Math.ceil(size / MAX_INSERT) + 3 * COPY_OP + 20
}

function sizeLength(size: number): number {
  let length = 1
  for (let rest = size; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++
  return length
}

function putSize(size: number, out: Uint8Array, pos: number): number {
  let rest = size
  while (rest >= 0x80) {
    out[pos++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  out[pos++] = rest
  return pos
}

/** Writes inserts of `bytes[from, to)`; returns the position behind them, or -1 when it would be beyond `limit`. */
function putInserts(
  bytes: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
  pos: number,
  limit: number,
): number {
  while (from < to) {
    const length = to - from < MAX_INSERT ? to - from : MAX_INSERT
    if (pos + 1 + length > limit) return -1
    out[pos++] = length
    for (let k = 0; k < length; k++) out[pos + k] = bytes[from + k]!
    pos += length
    from += length
  }
  return pos
}

/** Writes copies of `[from, from + length)` of the base; returns the position behind them, or -1 when it would be beyond `limit`. */
function putCopy(from: number, length: number, out: Uint8Array, pos: number, limit: number): number {
  while (length > 0) {
    const size = length < MAX_COPY ? length : MAX_COPY
    // Seven bytes at most; a limit that is nearer is checked exactly.
    if (pos + COPY_OP > limit && pos + copyLength(from, size) > limit) return -1
    const opAt = pos++
    let op = 0x80
    if (from & 0xff) {
      out[pos++] = from & 0xff
      op |= 0x01
    }
    if (from & 0xff00) {
      out[pos++] = (from >>> 8) & 0xff
      op |= 0x02
    }
    if (from & 0xff0000) {
      out[pos++] = (from >>> 16) & 0xff
      op |= 0x04
    }
    if (from >>> 24) {
      out[pos++] = from >>> 24
      op |= 0x08
    }
    if (size & 0xff) {
      out[pos++] = size & 0xff
      op |= 0x10
    }
    if (size & 0xff00) {
      out[pos++] = (size >>> 8) & 0xff
      op |= 0x20
    }
    out[opAt] = op
    from += size
    length -= size
  }
  return pos
}

function copyLength(from: number, size: number): number {
  let length = 1
  for (let rest = from; rest > 0; rest >>>= 8) if (rest & 0xff) length++
  if (size & 0xff) length++
  if (size & 0xff00) length++
  return length
}
