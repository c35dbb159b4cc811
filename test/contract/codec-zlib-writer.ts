/** Writes zlib streams by hand, block by block, so that tests reach what an encoder would never choose. */

/** A symbol of a block: a literal byte, or a copy of earlier output. */
export type Symbol = number | { readonly length: number; readonly distance: number }

/** The code lengths of a dynamic block: one for each literal or length symbol, and one for each distance symbol. */
export interface Lengths {
  readonly literals: readonly number[]
  readonly distances: readonly number[]
}

export class ZlibWriter {
  readonly #bytes: number[]
  #hold = 0
  #bits = 0

  constructor(header: readonly [number, number] = [0x78, 0x9c]) {
    this.#bytes = [...header]
  }

  /** Writes the low `count` bits of `value`, lowest first, as deflate packs everything but codes. */
  bits(value: number, count: number): this {
    for (let bit = 0; bit < count; bit++) {
      this.#hold |= ((value >>> bit) & 1) << this.#bits
      if (++this.#bits === 8) this.#flush()
    }
    return this
  }

  /** Writes a Huffman code, highest bit first. */
  code(code: number, length: number): this {
    for (let bit = length - 1; bit >= 0; bit--) this.bits(code >>> bit, 1)
    return this
  }

  stored(bytes: Uint8Array, isLast: boolean, complement = bytes.length ^ 0xffff): this {
    this.bits(isLast ? 1 : 0, 1).bits(0, 2)
    if (this.#bits > 0) this.#flush()
    this.bits(bytes.length, 16).bits(complement, 16)
    for (const byte of bytes) this.#bytes.push(byte)
    return this
  }

  fixed(symbols: readonly Symbol[], isLast: boolean): this {
    const literals = Array.from({ length: 288 }, (_, at) => (at < 144 ? 8 : at < 256 ? 9 : at < 280 ? 7 : 8))
    this.bits(isLast ? 1 : 0, 1).bits(1, 2)
    return this.#symbols(symbols, { literals, distances: new Array<number>(32).fill(5) })
  }

  /** Writes a block with codes of its own; the code lengths go out plainly, each in 4 or 5 bits. */
  dynamic(lengths: Lengths, symbols: readonly Symbol[], isLast: boolean): this {
    return this.dynamicHeader(lengths, isLast).#symbols(symbols, lengths)
  }

  dynamicHeader({ literals, distances }: Lengths, isLast: boolean): this {
    this.bits(isLast ? 1 : 0, 1).bits(2, 2)
    this.bits(literals.length - 257, 5)
      .bits(distances.length - 1, 5)
      .bits(19 - 4, 4)
    // 13 symbols of 4 bits and 6 of 5 bits: a complete code.
    const own = Array.from({ length: 19 }, (_, symbol) => (symbol < 13 ? 4 : 5))
    for (const symbol of [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])
      this.bits(own[symbol]!, 3)
    const codes = canonicalCodes(own)
    for (const length of [...literals, ...distances]) this.code(codes[length]!, own[length]!)
    return this
  }

  /** Ends the stream with the checksum of `output`. */
  end(output: Uint8Array): Uint8Array {
    if (this.#bits > 0) this.#flush()
    const sum = adler32(output)
    return Uint8Array.of(...this.#bytes, sum >>> 24, sum >>> 16, sum >>> 8, sum)
  }

  #symbols(symbols: readonly Symbol[], { literals, distances }: Lengths): this {
    const literalCodes = canonicalCodes(literals)
    const distanceCodes = canonicalCodes(distances)
    for (const symbol of symbols) {
      if (typeof symbol === 'number') {
        this.code(literalCodes[symbol]!, literals[symbol]!)
        continue
      }
      const length = lengthSymbol(symbol.length)
      this.code(literalCodes[length.symbol]!, literals[length.symbol]!).bits(length.extra, length.extraBits)
      const distance = distanceSymbol(symbol.distance)
      this.code(distanceCodes[distance.symbol]!, distances[distance.symbol]!).bits(
        distance.extra,
        distance.extraBits,
      )
    }
    return this.code(literalCodes[256]!, literals[256]!)
  }

  #flush(): void {
    this.#bytes.push(this.#hold)
    this.#hold = 0
    this.#bits = 0
  }
}

/** What a sequence of symbols stands for. */
export function expandSymbols(symbols: readonly Symbol[]): Uint8Array {
  const out: number[] = []
  for (const symbol of symbols) {
    if (typeof symbol === 'number') out.push(symbol)
    else for (let left = symbol.length; left > 0; left--) out.push(out[out.length - symbol.distance]!)
  }
  return Uint8Array.from(out)
}

/** Adler-32, the plain way. */
export function adler32(bytes: Uint8Array): number {
  let low = 1
  let high = 0
  for (const byte of bytes) {
    low = (low + byte) % 65521
    high = (high + low) % 65521
  }
  return high * 65536 + low
}

function canonicalCodes(lengths: readonly number[]): number[] {
  const codes = new Array<number>(lengths.length).fill(0)
  let code = 0
  for (let length = 1; length <= 15; length++) {
    code *= 2
    for (let symbol = 0; symbol < lengths.length; symbol++)
      if (lengths[symbol] === length) codes[symbol] = code++
  }
  return codes
}

interface Coded {
  readonly symbol: number
  readonly extra: number
  readonly extraBits: number
}

function lengthSymbol(length: number): Coded {
  if (length === 258) return { symbol: 285, extra: 0, extraBits: 0 }
  let base = 3
  for (let index = 0; ; index++) {
    const extraBits = index < 8 ? 0 : (index >> 2) - 1
    if (length < base + 2 ** extraBits) return { symbol: 257 + index, extra: length - base, extraBits }
    base += 2 ** extraBits
  }
}

function distanceSymbol(distance: number): Coded {
  let base = 1
  for (let symbol = 0; ; symbol++) {
    const extraBits = symbol < 4 ? 0 : (symbol >> 1) - 1
    if (distance < base + 2 ** extraBits) return { symbol, extra: distance - base, extraBits }
    base += 2 ** extraBits
  }
}
