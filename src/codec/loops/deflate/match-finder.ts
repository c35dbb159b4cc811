import { BLOCK_SYMBOLS, type BlockWriter } from './block-writer.ts'
import { MAX_MATCH, MIN_MATCH } from '../deflate-symbols.ts'

const WINDOW = 32768
const WINDOW_MASK = WINDOW - 1
/** The farthest that zlib looks back. */
const MAX_DISTANCE = WINDOW - MAX_MATCH - MIN_MATCH - 1
/** A match of three bytes that is farther away than this tends to cost more than its literals. zlib allows 4096, for worse. */
const TOO_FAR = 256
const MAX_HASH_BITS = 15
/** Positions are counted on over all calls, so that what earlier ones left in the tables is seen to be old. Then all starts over. */
const LAST_POSITION = 0x7fffffff

/** How hard to search: candidates looked at, lengths that are good enough to look at fewer, to look no further, and to stop looking. */
interface Effort {
  readonly good: number
  readonly lazy: number
  readonly nice: number
  readonly chain: number
}

const effort = (good: number, lazy: number, nice: number, chain: number): Effort => ({
  good,
  lazy,
  nice,
  chain,
})

/** By level, as zlib has them. */
const EFFORTS: readonly Effort[] = [
  effort(0, 0, 0, 0),
  effort(4, 4, 8, 4),
  effort(4, 5, 16, 8),
  effort(4, 6, 32, 32),
  effort(4, 4, 16, 16),
  effort(8, 16, 32, 32),
  effort(8, 16, 128, 128),
  effort(8, 32, 128, 256),
  effort(32, 128, 258, 1024),
  effort(32, 258, 258, 4096),
]

/**
 * Finds repetitions (LZ77) with chains of positions that have the same hash of three bytes, and takes a match only when the next
 * position has no longer one, as zlib does.
 */
export class MatchFinder {
  readonly #effort: Effort
  /** By hash: the last position that had it, plus one; at most `#base` when that was in an earlier call. */
  readonly #head = new Int32Array(1 << MAX_HASH_BITS)
  /** By position modulo the window: the position before it in its chain, plus one. */
  readonly #previous = new Int32Array(WINDOW)
  /** What is added to positions of this call. */
  #base = 0
  readonly #lastPosition: number

  /** @param lastPosition where counting starts over. */
  constructor(level: number, lastPosition = LAST_POSITION) {
    this.#effort = EFFORTS[level]!
    this.#lastPosition = lastPosition
  }

  /** Deflates `input[start, end)` to the writer, last block included. */
  deflate(input: Uint8Array, start: number, end: number, writer: BlockWriter): void {
    if (this.#base + (end - start) >= this.#lastPosition) {
      this.#base = 0
      this.#head.fill(0)
    }
    const { good, lazy, nice, chain } = this.#effort
    const head = this.#head
    const previous = this.#previous
    const base = this.#base
    // Table positions are those in the input plus `shift`, plus one; what is at most `base` belongs to an earlier call.
    const shift = base - start + 1
    const length = end - start
    const bits = length >= 1 << 14 ? MAX_HASH_BITS : length < 256 ? 9 : 33 - Math.clz32(length)
    const hashShift = 32 - (bits > MAX_HASH_BITS ? MAX_HASH_BITS : bits)
    const lastHashed = end - MIN_MATCH
    let blockStart = start
    /** Whether the byte in front of `at` is not written yet, and the match that begins there. */
    let waiting = false
    let heldLength = 0
    let heldDistance = 0
    let at = start
    while (at < end) {
      let bestLength = MIN_MATCH - 1
      let bestDistance = 0
      if (at <= lastHashed) {
        const three = input[at]! | (input[at + 1]! << 8) | (input[at + 2]! << 16)
        const hash = Math.imul(three, 0x9e3779b1) >>> hashShift
        let candidate = head[hash]!
        const here = at + shift
        previous[here & WINDOW_MASK] = candidate
        head[hash] = here
        if (candidate > base && heldLength < lazy) {
          const oldest = here - MAX_DISTANCE > base ? here - MAX_DISTANCE : base + 1
          const most = end - at < MAX_MATCH ? end - at : MAX_MATCH
          const enough = nice < most ? nice : most
          let tries = heldLength >= good ? chain >> 2 : chain
          bestLength = heldLength > bestLength ? heldLength : bestLength
          let last = input[at + bestLength]!
          while (candidate >= oldest && bestLength < most) {
            const from = candidate - shift
            if (
              input[from + bestLength] === last &&
              input[from] === (three & 0xff) &&
              input[from + 1] === input[at + 1]
            ) {
              let size = 2
              while (size < most && input[from + size] === input[at + size]) size++
              if (size > bestLength) {
                bestLength = size
                bestDistance = at - from
                if (size >= enough) break
                last = input[at + size]!
              }
            }
            if (--tries === 0) break
            candidate = previous[candidate & WINDOW_MASK]!
          }
          if (bestDistance === 0 || (bestLength === MIN_MATCH && bestDistance > TOO_FAR)) {
            bestLength = MIN_MATCH - 1
            bestDistance = 0
          }
        }
      }
      if (heldLength >= MIN_MATCH && bestLength <= heldLength) {
        // The match in front of this position stands.
        writer.match(heldLength, heldDistance)
        const next = at - 1 + heldLength
        const stop = next <= lastHashed ? next : lastHashed + 1
        for (let inside = at + 1; inside < stop; inside++) {
          const three = input[inside]! | (input[inside + 1]! << 8) | (input[inside + 2]! << 16)
          const hash = Math.imul(three, 0x9e3779b1) >>> hashShift
          previous[(inside + shift) & WINDOW_MASK] = head[hash]!
          head[hash] = inside + shift
        }
        at = next
        waiting = false
        heldLength = 0
      } else {
        if (waiting) writer.literal(input[at - 1]!)
        waiting = true
        heldLength = bestLength
        heldDistance = bestDistance
        at++
      }
      if (writer.count >= BLOCK_SYMBOLS) {
        const done = waiting ? at - 1 : at
        writer.flush(input, blockStart, done, false)
        blockStart = done
      }
    }
    if (waiting) writer.literal(input[end - 1]!)
    writer.flush(input, blockStart, end, true)
    this.#base = base + length
  }
}
