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

  const { commonStep } = vector
  const common = commonStep === 58 ? STATE_58 : STATE_65
  let a = trace[common]!
  let b = trace[common + 1]!
  let c = trace[common + 2]!
  let d = trace[common + 3]!
  let e = trace[common + 4]!
  // A loop for each logical function (FIPS 180-4, sections 4.1.1 and 4.2.1): one for all of them takes three times as long.
  for (let t = commonStep; t < 60; t++) {
    const next = (((a << 5) | (a >>> 27)) + ((b & c) | (d & (b | c))) + e + w[t]! - 0x70e44324) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (let t = Math.max(60, commonStep); t < 80; t++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + w[t]! - 0x359d3e2a) | 0
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
  for (let t = commonStep - 1; t >= 60; t--) {
    const last = a
    a = b
    b = (c << 2) | (c >>> 30)
    c = d
    d = e
    e = (last - ((a << 5) | (a >>> 27)) - (b ^ c ^ d) - w[t]! + 0x359d3e2a) | 0
  }
  for (let t = Math.min(59, commonStep - 1); t >= 40; t--) {
    const last = a
    a = b
    b = (c << 2) | (c >>> 30)
    c = d
    d = e
    e = (last - ((a << 5) | (a >>> 27)) - ((b & c) | (d & (b | c))) - w[t]! + 0x70e44324) | 0
  }
  for (let t = 39; t >= 20; t--) {
    const last = a
    a = b
    b = (c << 2) | (c >>> 30)
    c = d
    d = e
    e = (last - ((a << 5) | (a >>> 27)) - (b ^ c ^ d) - w[t]! - 0x6ed9eba1) | 0
  }
  for (let t = 19; t >= 0; t--) {
    const last = a
    a = b
    b = (c << 2) | (c >>> 30)
    c = d
    d = e
    e = (last - ((a << 5) | (a >>> 27)) - (d ^ (b & (c ^ d))) - w[t]! - 0x5a827999) | 0
  }
  return (
    ((a + a1) | 0) === state[0] &&
    ((b + b1) | 0) === state[1] &&
    ((c + c1) | 0) === state[2] &&
    ((d + d1) | 0) === state[3] &&
    ((e + e1) | 0) === state[4]
  )
}
