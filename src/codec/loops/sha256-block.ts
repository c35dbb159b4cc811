import { rootFractions } from './root-fractions.ts'

/** Length of a SHA-256 digest in bytes. */
export const SHA256_LENGTH = 32

/** The eight words that a SHA-256 starts with (FIPS 180-4, section 5.3.3). */
const INITIAL = /* @__PURE__ */ rootFractions(8, Math.sqrt)

export function createSha256State(): Int32Array {
  return INITIAL.slice()
}

/** The round constants (FIPS 180-4, section 4.2.2). */
const K = /* @__PURE__ */ rootFractions(64, Math.cbrt)

/**
 * Runs SHA-256's compression function over `blocks` blocks of 64 bytes that begin at `view[at]`, updating `state`.
 *
 * The loop body is sixteen rounds, so that the names of the eight working words come round to where they began
 * and the sixteen live words of the message schedule can be locals. What is rotated has the same name in every round:
 * compressed, such lines weigh next to nothing.
 */
export function compressSha256(state: Int32Array, view: DataView, at: number, blocks: number): void {
  let h0 = state[0]!
  let h1 = state[1]!
  let h2 = state[2]!
  let h3 = state[3]!
  let h4 = state[4]!
  let h5 = state[5]!
  let h6 = state[6]!
  let h7 = state[7]!
  for (const end = at + 64 * blocks; at < end; at += 64) {
    let a = h0
    let b = h1
    let c = h2
    let d = h3
    let e = h4
    let f = h5
    let g = h6
    let h = h7
    let w0 = view.getInt32(at)
    let w1 = view.getInt32(at + 4)
    let w2 = view.getInt32(at + 8)
    let w3 = view.getInt32(at + 12)
    let w4 = view.getInt32(at + 16)
    let w5 = view.getInt32(at + 20)
    let w6 = view.getInt32(at + 24)
    let w7 = view.getInt32(at + 28)
    let w8 = view.getInt32(at + 32)
    let w9 = view.getInt32(at + 36)
    let w10 = view.getInt32(at + 40)
    let w11 = view.getInt32(at + 44)
    let w12 = view.getInt32(at + 48)
    let w13 = view.getInt32(at + 52)
    let w14 = view.getInt32(at + 56)
    let w15 = view.getInt32(at + 60)
    let x = 0
    let y = 0
    for (let k = 0; ; k += 16) {
      x = e
      y = (h + w0 + K[k]! + (g ^ (x & (f ^ g)))) | 0
      y = (y + (((x >>> 6) | (x << 26)) ^ ((x >>> 11) | (x << 21)) ^ ((x >>> 25) | (x << 7)))) | 0
      d = (d + y) | 0
      x = a
      y = (y + (((x >>> 2) | (x << 30)) ^ ((x >>> 13) | (x << 19)) ^ ((x >>> 22) | (x << 10)))) | 0
      h = (y + ((x & b) | (c & (x | b)))) | 0
      x = d
      y = (g + w1 + K[k + 1]! + (f ^ (x & (e ^ f)))) | 0
      y = (y + (((x >>> 6) | (x << 26)) ^ ((x >>> 11) | (x << 21)) ^ ((x >>> 25) | (x << 7)))) | 0
      c = (c + y) | 0
      x = h
      y = (y + (((x >>> 2) | (x << 30)) ^ ((x >>> 13) | (x << 19)) ^ ((x >>> 22) | (x << 10)))) | 0
      g = (y + ((x & a) | (b & (x | a)))) | 0
      x = c
      y = (f + w2 + K[k + 2]! + (e ^ (x & (d ^ e)))) | 0
      y = (y + (((x >>> 6) | (x << 26)) ^ ((x >>> 11) | (x << 21)) ^ ((x >>> 25) | (x << 7)))) | 0
      b = (b + y) | 0
      x = g
      y = (y + (((x >>> 2) | (x << 30)) ^ ((x >>> 13) | (x << 19)) ^ ((x >>> 22) | (x << 10)))) | 0
      f = (y + ((x & h) | (a & (x | h)))) | 0
      x = b
      y = (e + w3 + K[k + 3]! + (d ^ (x & (c ^ d)))) | 0
      y = (y + (((x >>> 6) | (x << 26)) ^ ((x >>> 11) | (x << 21)) ^ ((x >>> 25) | (x << 7)))) | 0
      a = (a + y) | 0
      x = f
      y = (y + (((x >>> 2) | (x << 30)) ^ ((x >>> 13) | (x << 19)) ^ ((x >>> 22) | (x << 10)))) | 0
      e = (y + ((x & g) | (h & (x | g)))) | 0
      x = a
      y = (d + w4 + K[k + 4]! + (c ^ (x & (b ^ c)))) | 0
      y = (y + (((x >>> 6) | (x << 26)) ^ ((x >>> 11) | (x << 21)) ^ ((x >>> 25) | (x << 7)))) | 0
      h = (h + y) | 0
      x = e
      y = (y + (((x >>> 2) | (x << 30)) ^ ((x >>> 13) | (x << 19)) ^ ((x >>> 22) | (x << 10)))) | 0
      d = (y + ((x & f) | (g & (x | f)))) | 0
      x = h
      y = (c + w5 + K[k + 5]! + (b ^ (x & (a ^ b)))) | 0
      y = (y + (((x >>> 6) | (x << 26)) ^ ((x >>> 11) | (x << 21)) ^ ((x >>> 25) | (x << 7)))) | 0
      g = (g + y) | 0
      x = d
      y = (y + (((x >>> 2) | (x << 30)) ^ ((x >>> 13) | (x << 19)) ^ ((x >>> 22) | (x << 10)))) | 0
      c = (y + ((x & e) | (f & (x | e)))) | 0
      x = g
      y = (b + w6 + K[k + 6]! + (a ^ (x & (h ^ a)))) | 0
      y = (y + (((x >>> 6) | (x << 26)) ^ ((x >>> 11) | (x << 21)) ^ ((x >>> 25) | (x << 7)))) | 0
      f = (f + y) | 0
      x = c
      y = (y + (((x >>> 2) | (x << 30)) ^ ((x >>> 13) | (x << 19)) ^ ((x >>> 22) | (x << 10)))) | 0
      b = (y + ((x & d) | (e & (x | d)))) | 0
      x = f
      y = (a + w7 + K[k + 7]! + (h ^ (x & (g ^ h)))) | 0
      y = (y + (((x >>> 6) | (x << 26)) ^ ((x >>> 11) | (x << 21)) ^ ((x >>> 25) | (x << 7)))) | 0
      e = (e + y) | 0
      x = b
      y = (y + (((x >>> 2) | (x << 30)) ^ ((x >>> 13) | (x << 19)) ^ ((x >>> 22) | (x << 10)))) | 0
      a = (y + ((x & c) | (d & (x | c)))) | 0
      x = e
      y = (h + w8 + K[k + 8]! + (g ^ (x & (f ^ g)))) | 0
      y = (y + (((x >>> 6) | (x << 26)) ^ ((x >>> 11) | (x << 21)) ^ ((x >>> 25) | (x << 7)))) | 0
      d = (d + y) | 0
      x = a
      y = (y + (((x >>> 2) | (x << 30)) ^ ((x >>> 13) | (x << 19)) ^ ((x >>> 22) | (x << 10)))) | 0
      h = (y + ((x & b) | (c & (x | b)))) | 0
      x = d
      y = (g + w9 + K[k + 9]! + (f ^ (x & (e ^ f)))) | 0
      y = (y + (((x >>> 6) | (x << 26)) ^ ((x >>> 11) | (x << 21)) ^ ((x >>> 25) | (x << 7)))) | 0
      c = (c + y) | 0
      x = h
      y = (y + (((x >>> 2) | (x << 30)) ^ ((x >>> 13) | (x << 19)) ^ ((x >>> 22) | (x << 10)))) | 0
      g = (y + ((x & a) | (b & (x | a)))) | 0
      x = c
      y = (f + w10 + K[k + 10]! + (e ^ (x & (d ^ e)))) | 0
      y = (y + (((x >>> 6) | (x << 26)) ^ ((x >>> 11) | (x << 21)) ^ ((x >>> 25) | (x << 7)))) | 0
      b = (b + y) | 0
      x = g
      y = (y + (((x >>> 2) | (x << 30)) ^ ((x >>> 13) | (x << 19)) ^ ((x >>> 22) | (x << 10)))) | 0
      f = (y + ((x & h) | (a & (x | h)))) | 0
      x = b
      y = (e + w11 + K[k + 11]! + (d ^ (x & (c ^ d)))) | 0
      y = (y + (((x >>> 6) | (x << 26)) ^ ((x >>> 11) | (x << 21)) ^ ((x >>> 25) | (x << 7)))) | 0
      a = (a + y) | 0
      x = f
      y = (y + (((x >>> 2) | (x << 30)) ^ ((x >>> 13) | (x << 19)) ^ ((x >>> 22) | (x << 10)))) | 0
      e = (y + ((x & g) | (h & (x | g)))) | 0
      x = a
      y = (d + w12 + K[k + 12]! + (c ^ (x & (b ^ c)))) | 0
      y = (y + (((x >>> 6) | (x << 26)) ^ ((x >>> 11) | (x << 21)) ^ ((x >>> 25) | (x << 7)))) | 0
      h = (h + y) | 0
      x = e
      y = (y + (((x >>> 2) | (x << 30)) ^ ((x >>> 13) | (x << 19)) ^ ((x >>> 22) | (x << 10)))) | 0
      d = (y + ((x & f) | (g & (x | f)))) | 0
      x = h
      y = (c + w13 + K[k + 13]! + (b ^ (x & (a ^ b)))) | 0
      y = (y + (((x >>> 6) | (x << 26)) ^ ((x >>> 11) | (x << 21)) ^ ((x >>> 25) | (x << 7)))) | 0
      g = (g + y) | 0
      x = d
      y = (y + (((x >>> 2) | (x << 30)) ^ ((x >>> 13) | (x << 19)) ^ ((x >>> 22) | (x << 10)))) | 0
      c = (y + ((x & e) | (f & (x | e)))) | 0
      x = g
      y = (b + w14 + K[k + 14]! + (a ^ (x & (h ^ a)))) | 0
      y = (y + (((x >>> 6) | (x << 26)) ^ ((x >>> 11) | (x << 21)) ^ ((x >>> 25) | (x << 7)))) | 0
      f = (f + y) | 0
      x = c
      y = (y + (((x >>> 2) | (x << 30)) ^ ((x >>> 13) | (x << 19)) ^ ((x >>> 22) | (x << 10)))) | 0
      b = (y + ((x & d) | (e & (x | d)))) | 0
      x = f
      y = (a + w15 + K[k + 15]! + (h ^ (x & (g ^ h)))) | 0
      y = (y + (((x >>> 6) | (x << 26)) ^ ((x >>> 11) | (x << 21)) ^ ((x >>> 25) | (x << 7)))) | 0
      e = (e + y) | 0
      x = b
      y = (y + (((x >>> 2) | (x << 30)) ^ ((x >>> 13) | (x << 19)) ^ ((x >>> 22) | (x << 10)))) | 0
      a = (y + ((x & c) | (d & (x | c)))) | 0
      if (k === 48) break

      // The next sixteen words of the message schedule: section 6.2.2, step 1.
      x = w1
      y = (w0 + w9 + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3))) | 0
      x = w14
      w0 = (y + (((x >>> 17) | (x << 15)) ^ ((x >>> 19) | (x << 13)) ^ (x >>> 10))) | 0
      x = w2
      y = (w1 + w10 + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3))) | 0
      x = w15
      w1 = (y + (((x >>> 17) | (x << 15)) ^ ((x >>> 19) | (x << 13)) ^ (x >>> 10))) | 0
      x = w3
      y = (w2 + w11 + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3))) | 0
      x = w0
      w2 = (y + (((x >>> 17) | (x << 15)) ^ ((x >>> 19) | (x << 13)) ^ (x >>> 10))) | 0
      x = w4
      y = (w3 + w12 + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3))) | 0
      x = w1
      w3 = (y + (((x >>> 17) | (x << 15)) ^ ((x >>> 19) | (x << 13)) ^ (x >>> 10))) | 0
      x = w5
      y = (w4 + w13 + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3))) | 0
      x = w2
      w4 = (y + (((x >>> 17) | (x << 15)) ^ ((x >>> 19) | (x << 13)) ^ (x >>> 10))) | 0
      x = w6
      y = (w5 + w14 + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3))) | 0
      x = w3
      w5 = (y + (((x >>> 17) | (x << 15)) ^ ((x >>> 19) | (x << 13)) ^ (x >>> 10))) | 0
      x = w7
      y = (w6 + w15 + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3))) | 0
      x = w4
      w6 = (y + (((x >>> 17) | (x << 15)) ^ ((x >>> 19) | (x << 13)) ^ (x >>> 10))) | 0
      x = w8
      y = (w7 + w0 + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3))) | 0
      x = w5
      w7 = (y + (((x >>> 17) | (x << 15)) ^ ((x >>> 19) | (x << 13)) ^ (x >>> 10))) | 0
      x = w9
      y = (w8 + w1 + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3))) | 0
      x = w6
      w8 = (y + (((x >>> 17) | (x << 15)) ^ ((x >>> 19) | (x << 13)) ^ (x >>> 10))) | 0
      x = w10
      y = (w9 + w2 + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3))) | 0
      x = w7
      w9 = (y + (((x >>> 17) | (x << 15)) ^ ((x >>> 19) | (x << 13)) ^ (x >>> 10))) | 0
      x = w11
      y = (w10 + w3 + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3))) | 0
      x = w8
      w10 = (y + (((x >>> 17) | (x << 15)) ^ ((x >>> 19) | (x << 13)) ^ (x >>> 10))) | 0
      x = w12
      y = (w11 + w4 + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3))) | 0
      x = w9
      w11 = (y + (((x >>> 17) | (x << 15)) ^ ((x >>> 19) | (x << 13)) ^ (x >>> 10))) | 0
      x = w13
      y = (w12 + w5 + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3))) | 0
      x = w10
      w12 = (y + (((x >>> 17) | (x << 15)) ^ ((x >>> 19) | (x << 13)) ^ (x >>> 10))) | 0
      x = w14
      y = (w13 + w6 + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3))) | 0
      x = w11
      w13 = (y + (((x >>> 17) | (x << 15)) ^ ((x >>> 19) | (x << 13)) ^ (x >>> 10))) | 0
      x = w15
      y = (w14 + w7 + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3))) | 0
      x = w12
      w14 = (y + (((x >>> 17) | (x << 15)) ^ ((x >>> 19) | (x << 13)) ^ (x >>> 10))) | 0
      x = w0
      y = (w15 + w8 + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3))) | 0
      x = w13
      w15 = (y + (((x >>> 17) | (x << 15)) ^ ((x >>> 19) | (x << 13)) ^ (x >>> 10))) | 0
    }
    h0 = (h0 + a) | 0
    h1 = (h1 + b) | 0
    h2 = (h2 + c) | 0
    h3 = (h3 + d) | 0
    h4 = (h4 + e) | 0
    h5 = (h5 + f) | 0
    h6 = (h6 + g) | 0
    h7 = (h7 + h) | 0
  }
  state[0] = h0
  state[1] = h1
  state[2] = h2
  state[3] = h3
  state[4] = h4
  state[5] = h5
  state[6] = h6
  state[7] = h7
}
