import { DeltaHeader } from './delta-header.ts'

/** Below this many bytes a plain loop beats the call into native code. */
const LOOP_LIMIT = 12
/** The source of a segment that is copied from the version below. */
const BELOW = -1
/** So many segments are always worth it, and beyond them one for so many bytes of the result. */
const FEW_SEGMENTS = 1 << 12
const BYTES_A_SEGMENT = 16

/** What comes next in a version: bytes of the version below, or of a delta. As columns, in order. */
class Segments {
  count = 0
  /** `BELOW`, or the number of the delta that holds the bytes. */
  sources = new Int32Array(256)
  /** Where the bytes begin in their source. */
  starts = new Uint32Array(256)
  lengths = new Uint32Array(256)

  add(source: number, start: number, length: number): void {
    const last = this.count - 1
    if (
      last >= 0 &&
      source === BELOW &&
      this.sources[last] === BELOW &&
      this.starts[last]! + this.lengths[last]! === start
    ) {
      this.lengths[last]! += length
      return
    }
    if (this.count === this.sources.length) this.#grow()
    this.sources[this.count] = source
    this.starts[this.count] = start
    this.lengths[this.count++] = length
  }

  #grow(): void {
    const { sources, starts, lengths } = this
    this.sources = new Int32Array(2 * sources.length)
    this.sources.set(sources)
    this.starts = new Uint32Array(2 * starts.length)
    this.starts.set(starts)
    this.lengths = new Uint32Array(2 * lengths.length)
    this.lengths.set(lengths)
  }
}

/**
 * Applies chains of deltas without making the versions in between: the copies of each delta are traced through the deltas below it, down
 * to the base, and what is left is copied once. For large objects at the end of long chains that is many times less to move.
 */
export class DeltaComposer {
  readonly #header = new DeltaHeader()
  #segments = new Segments()
  #next = new Segments()
  /** The instructions of the delta at hand, and where the output of each begins. */
  readonly #below = new Segments()
  #offsets = new Uint32Array(256)

  /**
   * Makes the object that a chain of deltas leads to.
   *
   * @param deltas whole, the one that makes the object first, the one on the base last.
   * @returns `undefined` when a delta is malformed, or when there would be too many small segments: applying one delta after the other
   * tells which.
   */
  tryApply(base: Uint8Array, deltas: readonly Uint8Array[], maxSize: number): Uint8Array | undefined {
    const [first] = deltas
    if (first === undefined) return base
    if (!this.#parse(first, 0, this.#segments)) return undefined
    const { resultSize } = this.#header
    if (resultSize > maxSize) return undefined
    const most = Math.max(FEW_SEGMENTS, resultSize / BYTES_A_SEGMENT)
    let { baseSize } = this.#header
    const below = this.#below
    for (let k = 1; k < deltas.length; k++) {
      if (!this.#parse(deltas[k]!, k, below) || this.#header.resultSize !== baseSize) return undefined
      baseSize = this.#header.baseSize
      this.#markOffsets(below)
      this.#next.count = 0
      this.#trace(this.#segments, below, this.#next)
      if (this.#next.count > most) return undefined
      const traced = this.#next
      this.#next = this.#segments
      this.#segments = traced
    }
    if (baseSize !== base.length) return undefined
    return fill(this.#segments, base, deltas, resultSize)
  }

  /** Turns the instructions of a delta into segments; false when they are malformed. */
  #parse(delta: Uint8Array, source: number, out: Segments): boolean {
    const header = this.#header
    const end = delta.length
    try {
      header.parse(delta, 0, end)
    } catch {
      return false
    }
    const { baseSize, resultSize } = header
    let { at } = header
    let made = 0
    out.count = 0
    while (at < end) {
      const op = delta[at++]!
      if (op >= 0x80) {
        let offset = 0
        let size = 0
        if (op & 0x01) offset = delta[at++]!
        if (op & 0x02) offset |= delta[at++]! << 8
        if (op & 0x04) offset |= delta[at++]! << 16
        if (op & 0x08) offset += delta[at++]! * 0x1000000
        if (op & 0x10) size = delta[at++]!
        if (op & 0x20) size |= delta[at++]! << 8
        if (op & 0x40) size |= delta[at++]! << 16
        if (size === 0) size = 0x10000
        made += size
        if (at > end || offset + size > baseSize || made > resultSize) return false
        out.add(BELOW, offset, size)
      } else {
        made += op
        if (op === 0 || at + op > end || made > resultSize) return false
        out.add(source, at, op)
        at += op
      }
    }
    return made === resultSize
  }

  #markOffsets({ count, lengths }: Segments): void {
    if (this.#offsets.length <= count) this.#offsets = new Uint32Array(2 * count)
    let offset = 0
    for (let k = 0; k < count; k++) {
      this.#offsets[k] = offset
      offset += lengths[k]!
    }
    this.#offsets[count] = offset
  }

  /** Replaces copies from the version below by what that version is made of. */
  #trace(segments: Segments, below: Segments, out: Segments): void {
    const offsets = this.#offsets
    let place = 0
    for (let k = 0; k < segments.count; k++) {
      const source = segments.sources[k]!
      let start = segments.starts[k]!
      let length = segments.lengths[k]!
      if (source !== BELOW) {
        out.add(source, start, length)
        continue
      }
      if (start < offsets[place]! || start >= offsets[place + 1]!)
        place = placeOf(offsets, below.count, start)
      while (length > 0) {
        const skipped = start - offsets[place]!
        const taken = Math.min(length, below.lengths[place]! - skipped)
        out.add(below.sources[place]!, below.starts[place]! + skipped, taken)
        length -= taken
        start += taken
        if (length > 0) place++
      }
    }
  }
}

/** The last of `count` segments that begins at this offset or before it. */
function placeOf(offsets: Uint32Array, count: number, offset: number): number {
  let low = 0
  let high = count - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (offsets[middle]! <= offset) low = middle
    else high = middle - 1
  }
  return low
}

function fill(
  { count, sources, starts, lengths }: Segments,
  base: Uint8Array,
  deltas: readonly Uint8Array[],
  size: number,
): Uint8Array {
  const out = new Uint8Array(size)
  let at = 0
  for (let k = 0; k < count; k++) {
    const source = sources[k]!
    const bytes = source === BELOW ? base : deltas[source]!
    const start = starts[k]!
    const length = lengths[k]!
    if (length < LOOP_LIMIT) for (let b = 0; b < length; b++) out[at + b] = bytes[start + b]!
    else out.set(bytes.subarray(start, start + length), at)
    at += length
  }
  return out
}
