import { assignCodes, codeLengths } from './prefix-code.ts'
import {
  CODE_LENGTH_CODES,
  CODE_LENGTH_ORDER,
  DISTANCE_BASE,
  DISTANCE_CODES,
  DISTANCE_EXTRA,
  DISTANCE_SYMBOL,
  END_OF_BLOCK,
  FIXED_DISTANCE_LENGTHS,
  FIXED_LITERAL_LENGTHS,
  LENGTH_BASE,
  LENGTH_EXTRA,
  LENGTH_SYMBOL,
  LITERAL_LENGTH_CODES,
} from '../deflate-symbols.ts'

/** Literals and matches of one block at most: what zlib takes by default. */
export const BLOCK_SYMBOLS = 16383

/** Where a match's distance stands in a stored symbol; below it are its length - 3, or the literal. */
const DISTANCE_SHIFT = 9
const MAX_STORED = 0xffff
/** Blocks whose fixed form is shorter (in bits) can not gain by a code of their own: it takes about that to write one down. */
const WORTH_A_CODE = 350

const FIXED_LITERAL_CODES = /* @__PURE__ */ fixedCodes(FIXED_LITERAL_LENGTHS, 288)
const FIXED_DISTANCE_CODES = /* @__PURE__ */ fixedCodes(FIXED_DISTANCE_LENGTHS, DISTANCE_CODES)

function fixedCodes(lengths: Uint8Array, size: number): Uint16Array {
  const codes = new Uint16Array(size)
  assignCodes(lengths, size, codes)
  return codes
}

/** Gathers the symbols of a deflate block, and writes it in the shortest of its three forms (RFC 1951, section 3.2). */
export class BlockWriter {
  /** Where the stream goes. Who gives it makes it large enough for stored blocks. */
  out = new Uint8Array(0)
  at = 0
  /** How many symbols are gathered. */
  count = 0
  readonly #symbols = new Int32Array(BLOCK_SYMBOLS + 1)
  readonly #literalFrequencies = new Int32Array(LITERAL_LENGTH_CODES)
  readonly #distanceFrequencies = new Int32Array(DISTANCE_CODES)
  /** Lengths of the literal and length code, and behind those in use, once more, of the distance code: as they are written down. */
  readonly #lengths = new Uint8Array(LITERAL_LENGTH_CODES + DISTANCE_CODES)
  readonly #literalCodes = new Uint16Array(LITERAL_LENGTH_CODES)
  readonly #distanceLengths = new Uint8Array(DISTANCE_CODES)
  readonly #distanceCodes = new Uint16Array(DISTANCE_CODES)
  /** The code lengths of both codes, run-length coded: symbol, and above five bits the value of its extra bits. */
  readonly #runs = new Int32Array(LITERAL_LENGTH_CODES + DISTANCE_CODES)
  #runCount = 0
  readonly #runFrequencies = new Int32Array(CODE_LENGTH_CODES)
  readonly #runLengths = new Uint8Array(CODE_LENGTH_CODES)
  readonly #runCodes = new Uint16Array(CODE_LENGTH_CODES)
  #literalCount = 0
  #distanceCount = 0
  #orderCount = 0
  /** Bits that the gathered symbols and the end of the block take in the fixed codes, and bits beside any codes. */
  #fixedBits = 0
  #extraBits = 0
  /** Bits that are not written yet: fewer than 16 between calls. */
  #hold = 0
  #held = 0

  /** Begins a stream at `out[at]`. */
  reset(out: Uint8Array<ArrayBuffer>, at: number): void {
    this.out = out
    this.at = at
    this.#hold = 0
    this.#held = 0
    this.#clear()
  }

  #clear(): void {
    this.count = 0
    this.#fixedBits = 7
    this.#extraBits = 0
    this.#literalFrequencies.fill(0)
    this.#distanceFrequencies.fill(0)
  }

  literal(byte: number): void {
    this.#symbols[this.count++] = byte
    this.#literalFrequencies[byte]!++
    this.#fixedBits += byte < 144 ? 8 : 9
  }

  match(length: number, distance: number): void {
    this.#symbols[this.count++] = (distance << DISTANCE_SHIFT) | (length - 3)
    const code = LENGTH_SYMBOL[length - 3]!
    const distanceCode = distanceSymbol(distance)
    this.#literalFrequencies[257 + code]!++
    this.#distanceFrequencies[distanceCode]!++
    this.#fixedBits += code < 23 ? 12 : 13
    this.#extraBits += LENGTH_EXTRA[code]! + DISTANCE_EXTRA[distanceCode]!
  }

  /** Writes the block that the gathered symbols make, and begins the next one. `input[from, to)` is what they stand for. */
  flush(input: Uint8Array, from: number, to: number, last: boolean): void {
    this.#literalFrequencies[END_OF_BLOCK] = 1
    const fixed = 3 + this.#fixedBits + this.#extraBits
    const dynamic = fixed < WORTH_A_CODE ? fixed : 3 + this.#makeCodes() + this.#extraBits
    const stored = 8 * (to - from) + 42
    if (stored < fixed && stored < dynamic) {
      this.store(input, from, to, last)
    } else if (fixed <= dynamic) {
      this.#put((last ? 1 : 0) | 2, 3)
      this.#writeSymbols(
        FIXED_LITERAL_LENGTHS,
        FIXED_LITERAL_CODES,
        FIXED_DISTANCE_LENGTHS,
        FIXED_DISTANCE_CODES,
      )
    } else {
      this.#put((last ? 1 : 0) | 4, 3)
      this.#writeCodes()
      this.#writeSymbols(this.#lengths, this.#literalCodes, this.#distanceLengths, this.#distanceCodes)
    }
    if (last) this.#align()
    this.#clear()
  }

  /** Makes codes for this block; returns how many bits it takes to write them down, and all symbols in them. */
  #makeCodes(): number {
    const lengths = this.#lengths
    let bits = codeLengths(this.#literalFrequencies, LITERAL_LENGTH_CODES, 15, lengths)
    let literals = LITERAL_LENGTH_CODES
    while (lengths[literals - 1] === 0) literals--
    this.#literalCount = literals
    bits += codeLengths(this.#distanceFrequencies, DISTANCE_CODES, 15, this.#distanceLengths)
    let distances = DISTANCE_CODES
    while (this.#distanceLengths[distances - 1] === 0) distances--
    this.#distanceCount = distances
    for (let k = 0; k < distances; k++) lengths[literals + k] = this.#distanceLengths[k]!
    this.#codeRuns(literals + distances)
    bits += codeLengths(this.#runFrequencies, CODE_LENGTH_CODES, 7, this.#runLengths)
    let order = CODE_LENGTH_CODES
    while (order > 4 && this.#runLengths[CODE_LENGTH_ORDER[order - 1]!] === 0) order--
    this.#orderCount = order
    bits += 2 * this.#runFrequencies[16]! + 3 * this.#runFrequencies[17]! + 7 * this.#runFrequencies[18]!
    return 14 + 3 * order + bits
  }

  /** Run-length codes the first `size` code lengths (section 3.2.7). */
  #codeRuns(size: number): void {
    const lengths = this.#lengths
    const frequencies = this.#runFrequencies
    frequencies.fill(0)
    let count = 0
    for (let at = 0; at < size;) {
      const length = lengths[at]!
      let run = 1
      while (at + run < size && lengths[at + run] === length) run++
      at += run
      if (length > 0) {
        this.#runs[count++] = length
        frequencies[length]!++
        run--
      }
      while (run >= 3) {
        const symbol = length > 0 ? 16 : run > 10 ? 18 : 17
        const most = symbol === 16 ? 6 : symbol === 17 ? 10 : 138
        const taken = run < most ? run : most
        this.#runs[count++] = symbol | ((taken - (symbol === 18 ? 11 : 3)) << 5)
        frequencies[symbol]!++
        run -= taken
      }
      for (; run > 0; run--) {
        this.#runs[count++] = length
        frequencies[length]!++
      }
    }
    this.#runCount = count
  }

  #writeCodes(): void {
    assignCodes(this.#lengths, this.#literalCount, this.#literalCodes)
    assignCodes(this.#distanceLengths, this.#distanceCount, this.#distanceCodes)
    assignCodes(this.#runLengths, CODE_LENGTH_CODES, this.#runCodes)
    this.#put(this.#literalCount - 257, 5)
    this.#put(this.#distanceCount - 1, 5)
    this.#put(this.#orderCount - 4, 4)
    for (let k = 0; k < this.#orderCount; k++) this.#put(this.#runLengths[CODE_LENGTH_ORDER[k]!]!, 3)
    for (let k = 0; k < this.#runCount; k++) {
      const run = this.#runs[k]!
      const symbol = run & 31
      this.#put(this.#runCodes[symbol]!, this.#runLengths[symbol]!)
      if (symbol >= 16) this.#put(run >>> 5, symbol === 16 ? 2 : symbol === 17 ? 3 : 7)
    }
  }

  #writeSymbols(
    literalLengths: Uint8Array,
    literalCodes: Uint16Array,
    distanceLengths: Uint8Array,
    distanceCodes: Uint16Array,
  ): void {
    const symbols = this.#symbols
    const { out, count } = this
    let { at } = this
    let hold = this.#hold
    let held = this.#held
    for (let k = 0; k <= count; k++) {
      const symbol = k < count ? symbols[k]! : END_OF_BLOCK
      if (symbol < 1 << DISTANCE_SHIFT) {
        hold |= literalCodes[symbol]! << held
        held += literalLengths[symbol]!
      } else {
        const length = symbol & ((1 << DISTANCE_SHIFT) - 1)
        const code = LENGTH_SYMBOL[length]!
        hold |= literalCodes[257 + code]! << held
        held += literalLengths[257 + code]!
        if (held >= 16) {
          out[at++] = hold
          out[at++] = hold >>> 8
          hold >>>= 16
          held -= 16
        }
        hold |= (length + 3 - LENGTH_BASE[code]!) << held
        held += LENGTH_EXTRA[code]!
        if (held >= 16) {
          out[at++] = hold
          out[at++] = hold >>> 8
          hold >>>= 16
          held -= 16
        }
        const distance = symbol >>> DISTANCE_SHIFT
        const distanceCode = distanceSymbol(distance)
        hold |= distanceCodes[distanceCode]! << held
        held += distanceLengths[distanceCode]!
        if (held >= 16) {
          out[at++] = hold
          out[at++] = hold >>> 8
          hold >>>= 16
          held -= 16
        }
        hold |= (distance - DISTANCE_BASE[distanceCode]!) << held
        held += DISTANCE_EXTRA[distanceCode]!
      }
      if (held >= 16) {
        out[at++] = hold
        out[at++] = hold >>> 8
        hold >>>= 16
        held -= 16
      }
    }
    this.at = at
    this.#hold = hold
    this.#held = held
  }

  /** Writes `input[from, to)` as it is. The bytes of stored blocks begin at a byte boundary, behind their length and its complement. */
  store(input: Uint8Array, from: number, to: number, last: boolean): void {
    do {
      const length = to - from < MAX_STORED ? to - from : MAX_STORED
      this.#put(last && from + length === to ? 1 : 0, 3)
      this.#align()
      this.#put(length, 16)
      this.#put(~length & 0xffff, 16)
      this.out.set(input.subarray(from, from + length), this.at)
      this.at += length
      from += length
    } while (from < to)
  }

  #put(bits: number, count: number): void {
    this.#hold |= bits << this.#held
    this.#held += count
    if (this.#held < 16) return
    this.out[this.at++] = this.#hold
    this.out[this.at++] = this.#hold >>> 8
    this.#hold >>>= 16
    this.#held -= 16
  }

  #align(): void {
    for (; this.#held > 0; this.#held -= 8) {
      this.out[this.at++] = this.#hold
      this.#hold >>>= 8
    }
    this.#held = 0
    this.#hold = 0
  }
}

function distanceSymbol(distance: number): number {
  return distance <= 256 ? DISTANCE_SYMBOL[distance - 1]! : DISTANCE_SYMBOL[256 + ((distance - 1) >>> 7)]!
}
