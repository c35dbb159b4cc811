import { compareRanges } from '../bytes/compare.ts'
import { GitError } from '../errors.ts'
import { OffsetOrder } from './offset-order.ts'

/*
 * Layout (gitformat-pack, "pack-*.idx files"), N objects, ids of H bytes:
 *   version 1: fanout 256 x u32 | N x (u32 offset, id) | pack checksum H | index checksum H
 *   version 2: ff 74 4f 63 | u32 2 | fanout 256 x u32 | N ids | N x u32 crc | N x u32 offset | M x u64 offset | two checksums
 * In version 2 an offset with the top bit set is an index into the table of 64-bit offsets.
 */
const V2_SIGNATURE = 0xff744f63
const V2_HEADER = 8
const FANOUT = 1024

/**
 * A pack index, read in place from the bytes of an `.idx` file of version 1 or 2.
 *
 * An object's rank is its position in id order; everything else is asked by rank.
 */
export class PackIndex {
  readonly version: 1 | 2
  readonly idLength: number
  /** How many objects the pack has. */
  readonly objectCount: number
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #fanoutAt: number
  readonly #idsAt: number
  /** Distance from one id to the next. */
  readonly #stride: number
  #order: OffsetOrder | undefined
  #positions: Uint32Array | undefined

  /**
   * @param bytes the whole file; the index keeps a view of it.
   * @throws GitError `CORRUPT_INDEX`
   */
  constructor(bytes: Uint8Array, idLength: number) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.idLength = idLength
    if (bytes.length < FANOUT + 2 * idLength) throw corrupt(`file of ${bytes.length} bytes is too small`)
    if (this.#view.getUint32(0) === V2_SIGNATURE) {
      const version = this.#view.getUint32(4)
      if (version !== 2) throw corrupt(`version ${version} is unsupported; expected 1 or 2`)
      this.version = 2
      this.#fanoutAt = V2_HEADER
      this.#idsAt = V2_HEADER + FANOUT
      this.#stride = idLength
    } else {
      this.version = 1
      this.#fanoutAt = 0
      this.#idsAt = FANOUT + 4
      this.#stride = idLength + 4
    }
    let previous = 0
    for (let k = 0; k < 256; k++) {
      const count = this.#view.getUint32(this.#fanoutAt + 4 * k)
      if (count < previous) throw corrupt('its fanout table is not monotonic')
      previous = count
    }
    this.objectCount = previous
    const least =
      this.version === 1
        ? FANOUT + previous * (idLength + 4) + 2 * idLength
        : V2_HEADER + FANOUT + previous * (idLength + 8) + 2 * idLength
    const most = this.version === 1 ? least : least + 8 * previous
    if (bytes.length < least || bytes.length > most) {
      throw corrupt(`it has ${bytes.length} bytes; expected ${least} for ${previous} objects`)
    }
  }

  /** Raw checksum of the pack this index belongs to. A view. */
  get packChecksum(): Uint8Array {
    return this.#bytes.subarray(this.#bytes.length - 2 * this.idLength, this.#bytes.length - this.idLength)
  }

  /** Raw checksum the file ends with, over everything before it. A view. */
  get checksum(): Uint8Array {
    return this.#bytes.subarray(this.#bytes.length - this.idLength)
  }

  /** The part of the file that {@link checksum} covers. A view. */
  get checksummed(): Uint8Array {
    return this.#bytes.subarray(0, this.#bytes.length - this.idLength)
  }

  /**
   * The rank of the raw id at `bytes[at]`, or -1 when the pack does not have it.
   *
   * Ids are spread evenly, so the place of one among those of its first byte is guessed from its next bytes, and looked for nearby
   * first: fewer looks than halving takes, and at neighbours. Ids that are spread otherwise take a few looks more.
   */
  find(bytes: Uint8Array, at = 0): number {
    const view = this.#view
    const first = bytes[at]!
    let low = first === 0 ? 0 : view.getUint32(this.#fanoutAt + 4 * (first - 1))
    let high = view.getUint32(this.#fanoutAt + 4 * first)
    const key =
      ((bytes[at + 1]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!) >>> 0
    let middle = low + Math.floor((high - low) * key * 2 ** -32)
    let step = 4
    while (low < high) {
      const idAt = this.#idsAt + middle * this.#stride
      const word = view.getUint32(idAt + 1)
      const order =
        word < key ? -1 : word > key ? 1 : compareRanges(this.#bytes, idAt, bytes, at, this.idLength)
      if (order === 0) return middle
      if (order < 0) {
        low = middle + 1
        middle += step
      } else {
        high = middle
        middle -= step
      }
      step *= 4
      if (middle < low || middle >= high || step > 64) middle = (low + high) >>> 1
    }
    return -1
  }

  /** Where the id of this rank begins in {@link bytes}. */
  idAt(rank: number): number {
    return this.#idsAt + rank * this.#stride
  }

  /** The bytes that {@link idAt} points into. Never write to them. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** The raw id of this rank, a view. */
  id(rank: number): Uint8Array {
    const at = this.idAt(rank)
    return this.#bytes.subarray(at, at + this.idLength)
  }

  /** CRC-32 of the stored entry; `undefined` in version 1, which has none. */
  crc(rank: number): number | undefined {
    if (this.version === 1) return undefined
    return this.#view.getUint32(this.#idsAt + this.objectCount * this.idLength + 4 * rank)
  }

  /**
   * Offset of the entry in the pack.
   *
   * @throws GitError `CORRUPT_INDEX` for an offset outside the 64-bit table or beyond 2^53.
   */
  offset(rank: number): number {
    if (this.version === 1) return this.#view.getUint32(FANOUT + rank * this.#stride)
    const offsetsAt = this.#idsAt + this.objectCount * (this.idLength + 4)
    const offset = this.#view.getUint32(offsetsAt + 4 * rank)
    if (offset < 0x80000000) return offset
    const largeAt = offsetsAt + 4 * this.objectCount + 8 * (offset - 0x80000000)
    if (largeAt + 8 > this.#bytes.length - 2 * this.idLength)
      throw corrupt('a 64-bit offset is out of its table')
    const large = this.#view.getUint32(largeAt) * 0x100000000 + this.#view.getUint32(largeAt + 4)
    if (large > Number.MAX_SAFE_INTEGER) throw corrupt('a 64-bit offset is beyond 2^53')
    return large
  }

  /** Ranks in the order their entries stand in the pack. Computed once, four bytes an object. */
  get packOrder(): Uint32Array {
    return this.#sorted.ranks
  }

  /** Position in {@link packOrder} by rank. Computed once, four bytes an object. */
  get positions(): Uint32Array {
    if (this.#positions !== undefined) return this.#positions
    const order = this.packOrder
    const positions = new Uint32Array(order.length)
    for (let position = 0; position < order.length; position++) positions[order[position]!] = position
    this.#positions = positions
    return positions
  }

  /** Offsets of all entries in ascending order. Computed once, eight bytes an object. */
  get sortedOffsets(): Float64Array {
    return this.#sorted.offsets
  }

  /** The position in {@link packOrder} of the entry at this offset, or -1 when no entry begins there. */
  positionOf(offset: number): number {
    return this.#sorted.positionOf(offset)
  }

  /** The rank of the entry at this offset, or -1 when no entry begins there. */
  rankAt(offset: number): number {
    const position = this.positionOf(offset)
    return position < 0 ? -1 : this.packOrder[position]!
  }

  get #sorted(): OffsetOrder {
    if (this.#order !== undefined) return this.#order
    const offsets = new Float64Array(this.objectCount)
    for (let rank = 0; rank < offsets.length; rank++) offsets[rank] = this.offset(rank)
    this.#order = new OffsetOrder(offsets)
    return this.#order
  }
}

function corrupt(what: string): GitError {
  return new GitError('CORRUPT_INDEX', `pack index is corrupt: ${what}`)
}
