/** How lengths and distances are written (RFC 1951, section 3.2.5), and the lengths of the fixed codes (section 3.2.6). */

export const LITERAL_LENGTH_CODES = 286
export const DISTANCE_CODES = 30
export const CODE_LENGTH_CODES = 19
export const END_OF_BLOCK = 256
export const MIN_MATCH = 3
export const MAX_MATCH = 258

/** By length - 3: the symbol, less 257. */
export const LENGTH_SYMBOL = /* @__PURE__ */ lengthSymbols()
/** By symbol - 257: how many extra bits follow, and the length that they are added to. */
export const LENGTH_EXTRA = /* @__PURE__ */ Uint8Array.from({ length: 29 }, (_, index) => lengthExtra(index))
export const LENGTH_BASE = /* @__PURE__ */ bases(LENGTH_EXTRA, MIN_MATCH, 28, MAX_MATCH)
/** By symbol: how many extra bits follow, and the distance that they are added to. */
export const DISTANCE_EXTRA = /* @__PURE__ */ Uint8Array.from({ length: DISTANCE_CODES }, (_, index) =>
  index < 4 ? 0 : (index >> 1) - 1,
)
export const DISTANCE_BASE = /* @__PURE__ */ bases(DISTANCE_EXTRA, 1)
/** The symbol of distance d is at d - 1 for d up to 256, and at 256 + ((d - 1) >> 7) above. */
export const DISTANCE_SYMBOL = /* @__PURE__ */ distanceSymbols()

/** The order in which the lengths of the code for code lengths are written (section 3.2.7). */
// prettier-ignore
export const CODE_LENGTH_ORDER = /* @__PURE__ */ Uint8Array.of(
  16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
)

export const FIXED_LITERAL_LENGTHS = /* @__PURE__ */ Uint8Array.from({ length: 288 }, (_, symbol) =>
  symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8,
)
/** Two of these mean nothing. */
export const FIXED_DISTANCE_LENGTHS = /* @__PURE__ */ new Uint8Array(32).fill(5)

function lengthExtra(index: number): number {
  return index < 8 || index === 28 ? 0 : (index >> 2) - 1
}

function bases(extra: Uint8Array, first: number, special = -1, specialBase = 0): Uint16Array {
  const out = new Uint16Array(extra.length)
  let base = first
  for (let index = 0; index < extra.length; index++) {
    out[index] = index === special ? specialBase : base
    base += 1 << extra[index]!
  }
  return out
}

function lengthSymbols(): Uint8Array {
  const symbols = new Uint8Array(MAX_MATCH - MIN_MATCH + 1)
  let base = 0
  for (let index = 0; index < 28; index++) {
    const count = 1 << lengthExtra(index)
    symbols.fill(index, base, base + count)
    base += count
  }
  symbols[MAX_MATCH - MIN_MATCH] = 28
  return symbols
}

function distanceSymbols(): Uint8Array {
  const symbols = new Uint8Array(512)
  let distance = 0
  for (let index = 0; index < DISTANCE_CODES; index++) {
    const end = distance + (1 << DISTANCE_EXTRA[index]!)
    // Ranges that begin above 256 are of whole steps of 128.
    if (end <= 256) symbols.fill(index, distance, end)
    symbols.fill(index, 256 + ((distance + 127) >> 7), 256 + ((end + 127) >> 7))
    distance = end
  }
  return symbols
}
