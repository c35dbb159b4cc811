import type { DisturbanceVector } from './disturbance-vectors.ts'
import { STATE_58, STATE_65 } from './traced-block.ts'

const w = /* @__PURE__ */ new Int32Array(80)

/**
 * Tells whether the block at `view[at]` has a twin along a disturbance vector that ends in the same chaining value.
 *
 * The twin's message follows from the vector, and its working state before `commonStep` is the block's own. From there
 * it is computed to both ends: back to the chaining value it must have begun with, and on to the one it ends with.
 *
 * @param state the chaining value after the block.
 * @param trace what `compressSha1Traced` left of the block.
 */
export function hasCollidingTwin(
  vector: DisturbanceVector,
  state: Int32Array,
  view: DataView,
  at: number,
  trace: Int32Array,
): boolean {
  for (let t = 0; t < 16; t++) w[t] = view.getInt32(at + 4 * t) ^ vector.differences[t]!
  for (let t = 16; t < 80; t++) {
    const word = w[t - 3]! ^ w[t - 8]! ^ w[t - 14]! ^ w[t - 16]!
    w[t] = (word << 1) | (word >>> 31)
  }

  const common = vector.commonStep === 58 ? STATE_58 : STATE_65
  let a = trace[common]!
  let b = trace[common + 1]!
  let c = trace[common + 2]!
  let d = trace[common + 3]!
  let e = trace[common + 4]!
  for (let t = vector.commonStep; t < 80; t++) {
    const next = (((a << 5) | (a >>> 27)) + mix(t, b, c, d) + e + w[t]!) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  const a1 = a
  const b1 = b
  const c1 = c
  const d1 = d
  const e1 = e

  a = trace[common]!
  b = trace[common + 1]!
  c = trace[common + 2]!
  d = trace[common + 3]!
  e = trace[common + 4]!
  for (let t = vector.commonStep - 1; t >= 0; t--) {
    const last = a
    a = b
    b = (c << 2) | (c >>> 30)
    c = d
    d = e
    e = (last - ((a << 5) | (a >>> 27)) - mix(t, b, c, d) - w[t]!) | 0
  }
  return (
    ((a + a1) | 0) === state[0] &&
    ((b + b1) | 0) === state[1] &&
    ((c + c1) | 0) === state[2] &&
    ((d + d1) | 0) === state[3] &&
    ((e + e1) | 0) === state[4]
  )
}

/** The logical function of step `t` and its constant: FIPS 180-4, sections 4.1.1 and 4.2.1. */
function mix(t: number, b: number, c: number, d: number): number {
  if (t < 20) return ((d ^ (b & (c ^ d))) + 0x5a827999) | 0
  if (t < 40) return ((b ^ c ^ d) + 0x6ed9eba1) | 0
  if (t < 60) return (((b & c) | (d & (b | c))) - 0x70e44324) | 0
  return ((b ^ c ^ d) - 0x359d3e2a) | 0
}
