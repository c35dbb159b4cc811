import { DeltaHeader } from './delta-header.ts'

/** Below this many bytes a plain loop beats the call into native code. */
const LOOP_LIMIT = 12
/** So many segments are always worth it, and beyond them one for so many bytes of the result. */
const FEW_SEGMENTS = 1 << 12
const BYTES_A_SEGMENT = 16

/** The bit of a segment's start that says that its bytes are those of the delta itself. */
const INSERT = 0x80000000

/** Pieces of a version in the order in which they stand there: where each is, where its bytes come from, and how many. As columns. */
class Segments {
  count = 0
  places = new Uint32Array(256)
  /** Where the bytes begin in the version below or, with {@link INSERT}, in the delta. */
  starts = new Uint32Array(256)
  lengths = new Uint32Array(256)

  add(place: number, start: number, length: number): void {
    if (this.count === this.places.length) this.#grow()
    this.places[this.count] = place
    this.starts[this.count] = start
    this.lengths[this.count++] = length
  }

  /** Adds a piece of the version below, to the last one where it goes on from that. */
  addCopy(place: number, start: number, length: number): void {
    const last = this.count - 1
    const before = last < 0 ? 0 : this.lengths[last]!
    if (last >= 0 && this.starts[last]! + before === start && this.places[last]! + before === place)
      this.lengths[last] = before + length
    else this.add(place, start, length)
  }

  #grow(): void {
    const { places, starts, lengths } = this
    this.places = new Uint32Array(2 * places.length)
    this.places.set(places)
    this.starts = new Uint32Array(2 * starts.length)
    this.starts.set(starts)
    this.lengths = new Uint32Array(2 * lengths.length)
    this.lengths.set(lengths)
  }
}

/**
 * Applies chains of deltas without making the versions in between: the copies of each delta are traced through the deltas below it, down
 * to the base. What a delta inserts is written to its place at once and traced no further; what is left is copied from the base. For large
 * objects at the end of long chains that is many times less to move.
 */
export class DeltaComposer {
  readonly #header = new DeltaHeader()
  /** What of the object is not made yet: pieces of the version at hand. */
  #segments = new Segments()
  #next = new Segments()
  /** The version at hand as the delta that makes it says. */
  readonly #version = new Segments()

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
    if (!this.#parse(first, this.#version)) return undefined
    const { resultSize } = this.#header
    if (resultSize > maxSize) return undefined
    const out = new Uint8Array(resultSize)
    const most = Math.max(FEW_SEGMENTS, resultSize / BYTES_A_SEGMENT)
    this.#segments.count = 0
    if (resultSize > 0) this.#segments.add(0, 0, resultSize)
    let versionSize = resultSize
    for (const delta of deltas) {
      if (delta !== first && !this.#parse(delta, this.#version)) return undefined
      if (this.#header.resultSize !== versionSize) return undefined
      versionSize = this.#header.baseSize
      this.#trace(delta, out)
      if (this.#segments.count > most) return undefined
    }
    if (versionSize !== base.length) return undefined
    const { count, places, starts, lengths } = this.#segments
    for (let k = 0; k < count; k++) copyBytes(base, starts[k]!, out, places[k]!, lengths[k]!)
    return out
  }

  /** Turns the instructions of a delta into segments of the version that it makes; false when they are malformed. */
  #parse(delta: Uint8Array, out: Segments): boolean {
    const header = this.#header
    const end = delta.length
    try {
      header.parse(delta, 0, end)
    } catch {
      return false
    }
    const { baseSize, resultSize } = header
    if (baseSize >= INSERT || resultSize >= INSERT) return false
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
        if (at > end || offset + size > baseSize || made + size > resultSize) return false
        out.addCopy(made, offset, size)
        made += size
      } else {
        if (op === 0 || at + op > end || made + op > resultSize) return false
        out.add(made, at | INSERT, op)
        at += op
        made += op
      }
    }
    return made === resultSize
  }

  /** Replaces pieces of the version at hand by those of the one below, and writes what the delta inserts. */
  #trace(delta: Uint8Array, out: Uint8Array): void {
    const segments = this.#segments
    const version = this.#version
    const next = this.#next
    next.count = 0
    let from = 0
    for (let k = 0; k < segments.count; k++) {
      let place = segments.places[k]!
      let start = segments.starts[k]!
      let length = segments.lengths[k]!
      if (start < version.places[from]! || start >= version.places[from]! + version.lengths[from]!)
        from = segmentAt(version, start)
      for (;;) {
        const skipped = start - version.places[from]!
        const taken = Math.min(length, version.lengths[from]! - skipped)
        const source = version.starts[from]!
        if (source < INSERT) next.addCopy(place, source + skipped, taken)
        else copyBytes(delta, source - INSERT + skipped, out, place, taken)
        length -= taken
        if (length === 0) break
        place += taken
        start += taken
        from++
      }
    }
    this.#next = segments
    this.#segments = next
  }
}

/** The last segment that begins at this place of its version or before it. */
function segmentAt({ places, count }: Segments, place: number): number {
  let low = 0
  let high = count - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (places[middle]! <= place) low = middle
    else high = middle - 1
  }
  return low
}

function copyBytes(from: Uint8Array, start: number, to: Uint8Array, at: number, length: number): void {
  if (length < LOOP_LIMIT) for (let b = 0; b < length; b++) to[at + b] = from[start + b]!
  else to.set(from.subarray(start, start + length), at)
}
