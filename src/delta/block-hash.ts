/** Length in bytes of the blocks by which delta encoding finds what two objects have in common. */
export const BLOCK = 16

/*
 * The hash of sixteen bytes b0 … b15 is  mix * (b0 * m^15 + b1 * m^14 + … + b15)  modulo 2^32. It rolls: one more byte costs two
 * multiplications. The last multiplication carries the low bits, where such sums are weak, to the top, where tables look.
 */
const M = 0x01000193
const MIX = 0x9e3779b1 | 0
const M4 = /* @__PURE__ */ power(4)
const M8 = /* @__PURE__ */ power(8)
const M12 = /* @__PURE__ */ power(12)
const M16 = /* @__PURE__ */ power(16)

function power(exponent: number): number {
  let value = 1
  for (let k = 0; k < exponent; k++) value = Math.imul(value, M)
  return value
}

/** The sum of the block at `bytes[at, at + 16)`, to roll on from. */
function blockSum(bytes: Uint8Array, at: number): number {
  const first = quad(bytes, at)
  const second = quad(bytes, at + 4)
  const third = quad(bytes, at + 8)
  const fourth = quad(bytes, at + 12)
  return (Math.imul(first, M12) + Math.imul(second, M8) + Math.imul(third, M4) + fourth) | 0
}

function quad(bytes: Uint8Array, at: number): number {
  let sum = Math.imul(bytes[at]!, M) + bytes[at + 1]!
  sum = Math.imul(sum, M) + bytes[at + 2]!
  return Math.imul(sum, M) + bytes[at + 3]!
}

/** The hash of the block at `bytes[at, at + 16)`, a signed 32-bit number. */
export function blockHash(bytes: Uint8Array, at: number): number {
  return Math.imul(blockSum(bytes, at), MIX)
}

/** Writes the hashes of the blocks that begin at `from, …, to - 1` to the same positions of `out`. `to` is at most `length - 15`. */
export function blockHashes(bytes: Uint8Array, from: number, to: number, out: Int32Array): void {
  if (from >= to) return
  let sum = blockSum(bytes, from)
  out[from] = Math.imul(sum, MIX)
  for (let at = from + 1; at < to; at++) {
    sum = (Math.imul(sum, M) + bytes[at + 15]! - Math.imul(bytes[at - 1]!, M16)) | 0
    out[at] = Math.imul(sum, MIX)
  }
}
