import type { Hash, HashAlgorithm } from '../ports.ts'
import { assertRange } from '../ranges.ts'
import { streamIsOver } from '../corrupt-zlib.ts'
import { ViewCache } from './view-cache.ts'

const BLOCK = 64

/** What tells one hash with 64-byte blocks and big-endian words from another. */
export interface BlockFunction {
  readonly name: HashAlgorithm['name']
  /** Length of a digest in bytes, a multiple of 4. */
  readonly length: number
  /** Makes the words that a message starts with; those beyond `length` bytes do not go into the digest. */
  createState(): Int32Array
  /** Updates `state` with `blocks` blocks that begin at `view[at]`. */
  compress(state: Int32Array, view: DataView, at: number, blocks: number): void
  /** The same where blocks are noted, if anything is to be noted of them: see `HashAlgorithm.digestNotedInto`. */
  compressNoted?(
    state: Int32Array,
    view: DataView,
    at: number,
    blocks: number,
    notes: Uint8Array,
    notesAt: number,
  ): void
  /** Called with the final state; throws to withhold the digest. */
  assertSound?(state: Int32Array): void
}

/**
 * Makes a hash algorithm out of its block function: one-shot and running, with the padding of FIPS 180-4, section 5.1.1.
 *
 * Whole blocks are read where they lie; only the last, partial block of a message is copied.
 */
export function createBlockHashAlgorithm(fn: BlockFunction): HashAlgorithm {
  const initial = fn.createState()
  const state = fn.createState()
  const tail = new Uint8Array(2 * BLOCK)
  const tailView = new DataView(tail.buffer)
  const views = new ViewCache()
  const begin = (): void => {
    for (let word = 0; word < initial.length; word++) state[word] = initial[word]!
  }
  const end = (bytes: Uint8Array, from: number, to: number, total: number): void => {
    let held = 0
    while (from < to) tail[held++] = bytes[from++]!
    fn.compress(state, tailView, 0, pad(tail, tailView, held, total))
  }
  const noting: Pick<HashAlgorithm, 'digestNotedInto'> =
    fn.compressNoted === undefined
      ? {}
      : {
          digestNotedInto(bytes, from, to, out, at, notes, notesAt) {
            const blocks = Math.floor((to - from) / BLOCK)
            assertRange(bytes, from, to)
            assertRange(out, at, at + fn.length)
            assertRange(notes, notesAt, notesAt + blocks)
            begin()
            fn.compressNoted?.(state, views.viewOf(bytes), from, blocks, notes, notesAt)
            end(bytes, from + blocks * BLOCK, to, to - from)
            finish(fn, state, out, at)
          },
        }

  return {
    ...noting,
    name: fn.name,
    length: fn.length,
    create: () => createRunningHash(fn, views),
    digestRangeInto(bytes, from, to, out, at) {
      assertRange(bytes, from, to)
      assertRange(out, at, at + fn.length)
      begin()
      const blocks = Math.floor((to - from) / BLOCK)
      if (blocks > 0) fn.compress(state, views.viewOf(bytes), from, blocks)
      end(bytes, from + blocks * BLOCK, to, to - from)
      finish(fn, state, out, at)
    },
  }
}

function createRunningHash(fn: BlockFunction, views: ViewCache): Hash {
  const state = fn.createState()
  const tail = new Uint8Array(2 * BLOCK)
  const tailView = new DataView(tail.buffer)
  let held = 0
  let total = 0
  let over = false

  return {
    update(bytes, start = 0, end = bytes.length) {
      assertRange(bytes, start, end)
      if (over) throw streamIsOver()
      total += end - start
      if (held > 0) {
        while (held < BLOCK && start < end) tail[held++] = bytes[start++]!
        if (held < BLOCK) return
        fn.compress(state, tailView, 0, 1)
        held = 0
      }
      const blocks = Math.floor((end - start) / BLOCK)
      if (blocks > 0) fn.compress(state, views.viewOf(bytes), start, blocks)
      for (let from = start + blocks * BLOCK; from < end; from++) tail[held++] = bytes[from]!
    },
    digestInto(out, at) {
      assertRange(out, at, at + fn.length)
      if (over) throw streamIsOver()
      over = true
      fn.compress(state, tailView, 0, pad(tail, tailView, held, total))
      finish(fn, state, out, at)
    },
  }
}

/** Completes the last `held` bytes of a message of `total` bytes to whole blocks, and returns how many: 1 or 2. */
function pad(tail: Uint8Array, view: DataView, held: number, total: number): number {
  const blocks = held < BLOCK - 8 ? 1 : 2
  const lengthAt = blocks * BLOCK - 8
  tail[held] = 0x80
  tail.fill(0, held + 1, lengthAt)
  view.setUint32(lengthAt, Math.floor(total / 0x20000000))
  view.setUint32(lengthAt + 4, total << 3)
  return blocks
}

function finish(fn: BlockFunction, state: Int32Array, out: Uint8Array, at: number): void {
  fn.assertSound?.(state)
  for (let word = 0; 4 * word < fn.length; word++) {
    const value = state[word]!
    out[at++] = value >>> 24
    out[at++] = value >>> 16
    out[at++] = value >>> 8
    out[at++] = value
  }
}
