/*
 * Prefix codes from frequencies. Scratch tables are for one call each.
 */
const keys = /* @__PURE__ */ new Int32Array(288)
const sorted = /* @__PURE__ */ new Int32Array(288)
const weights = /* @__PURE__ */ new Int32Array(288)
const places = /* @__PURE__ */ new Int32Array(64)
const counts = /* @__PURE__ */ new Int32Array(32)
const nextCode = /* @__PURE__ */ new Int32Array(16)

/** How many bits a symbol takes of a key; the frequency is above them. */
const SYMBOL_BITS = 9
const SYMBOL_MASK = (1 << SYMBOL_BITS) - 1

/**
 * Finds the lengths of an optimal prefix code with no length above `limit` (near optimal where the limit binds), for the first `size`
 * symbols. Frequencies are below 2^22. A code has at least two symbols: where fewer occur, the first ones are added, which some
 * decoders expect.
 *
 * @returns how many bits all symbols take, each as often as it occurs.
 */
export function codeLengths(
  frequencies: Int32Array,
  size: number,
  limit: number,
  lengths: Uint8Array,
): number {
  let used = 0
  for (let symbol = 0; symbol < size; symbol++) {
    const frequency = frequencies[symbol]!
    lengths[symbol] = 0
    if (frequency > 0) keys[used++] = (frequency << SYMBOL_BITS) | symbol
  }
  let added = 0
  for (let symbol = 0; used < 2; symbol++) {
    if (frequencies[symbol]! > 0) continue
    keys[used++] = (1 << SYMBOL_BITS) | symbol
    added++
  }
  sortKeys(used)
  for (let k = 0; k < used; k++) weights[k] = sorted[k]! >>> SYMBOL_BITS
  weightsToDepths(used)

  counts.fill(0)
  let excess = -(1 << limit)
  for (let k = 0; k < used; k++) {
    const depth = weights[k]! < limit ? weights[k]! : limit
    counts[depth]!++
    excess += 1 << (limit - depth)
  }
  // Codes that were cut to the limit take too much of the code space: others are made longer, the longest below the limit first.
  for (; excess > 0; excess--) {
    let length = limit - 1
    while (counts[length] === 0) length--
    counts[length]!--
    counts[length + 1]! += 2
    counts[limit]!--
  }
  let bits = 0
  let k = 0
  for (let length = limit; length > 0; length--) {
    for (let count = counts[length]!; count > 0; count--, k++) {
      const key = sorted[k]!
      lengths[key & SYMBOL_MASK] = length
      bits += (key >>> SYMBOL_BITS) * length
    }
  }
  // What was added does not occur, and is of length 1.
  return bits - added
}

/** Puts the keys in ascending order into `sorted`: by counting where frequencies are small, which most are. */
function sortKeys(count: number): void {
  places.fill(0)
  for (let k = 0; k < count; k++) {
    const frequency = keys[k]! >>> SYMBOL_BITS
    places[frequency < 63 ? frequency : 63]!++
  }
  let place = 0
  for (let frequency = 0; frequency < 64; frequency++) {
    const here = places[frequency]!
    places[frequency] = place
    place += here
  }
  const large = places[63]!
  for (let k = 0; k < count; k++) {
    const key = keys[k]!
    const frequency = key >>> SYMBOL_BITS
    sorted[places[frequency < 63 ? frequency : 63]!++] = key
  }
  if (count - large > 40) {
    sorted.subarray(large, count).sort()
    return
  }
  for (let k = large + 1; k < count; k++) {
    const key = sorted[k]!
    let at = k
    for (; at > large && sorted[at - 1]! > key; at--) sorted[at] = sorted[at - 1]!
    sorted[at] = key
  }
}

/**
 * Replaces ascending weights by the depths of the leaves of the optimal tree, in place (the method of Moffat and Katajainen):
 * first entries become inner nodes that point at their parents, then depths of inner nodes, then depths of leaves.
 */
function weightsToDepths(count: number): void {
  let leaf = 0
  let root = 0
  for (let node = 0; node < count - 1; node++) {
    let weight = 0
    for (let child = 0; child < 2; child++) {
      if (leaf >= count || (root < node && weights[root]! < weights[leaf]!)) {
        weight += weights[root]!
        weights[root++] = node
      } else {
        weight += weights[leaf++]!
      }
    }
    weights[node] = weight
  }
  weights[count - 2] = 0
  for (let node = count - 3; node >= 0; node--) weights[node] = weights[weights[node]!]! + 1
  let open = 1
  let inner = count - 2
  let next = count - 1
  for (let depth = 0; open > 0; depth++) {
    let parents = 0
    for (; inner >= 0 && weights[inner] === depth; inner--) parents++
    for (; open > parents; open--) weights[next--] = depth
    open = 2 * parents
  }
}

/** Assigns the canonical codes (RFC 1951, section 3.2.2), with their bits in the order they are written: the first lowest. */
export function assignCodes(lengths: Uint8Array, size: number, codes: Uint16Array): void {
  counts.fill(0)
  for (let symbol = 0; symbol < size; symbol++) counts[lengths[symbol]!]!++
  let code = 0
  counts[0] = 0
  for (let length = 1; length <= 15; length++) {
    code = (code + counts[length - 1]!) << 1
    nextCode[length] = code
  }
  for (let symbol = 0; symbol < size; symbol++) {
    const length = lengths[symbol]!
    if (length > 0) codes[symbol] = reversed(nextCode[length]!++, length)
  }
}

function reversed(code: number, length: number): number {
  let bits = ((code & 0x5555) << 1) | ((code >> 1) & 0x5555)
  bits = ((bits & 0x3333) << 2) | ((bits >> 2) & 0x3333)
  bits = ((bits & 0x0f0f) << 4) | ((bits >> 4) & 0x0f0f)
  bits = ((bits & 0x00ff) << 8) | (bits >> 8)
  return bits >> (16 - length)
}
