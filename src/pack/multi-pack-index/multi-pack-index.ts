import { compareRanges } from '../../bytes/compare.ts'
import { decodeUtf8 } from '../../bytes/text.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import { corruptChunks, hashVersion, parseChunks } from '../chunk-file.ts'

/*
 * Layout of `multi-pack-index` (gitformat-pack), P packs, N objects:
 *   'MIDX' | u8 version 1 | u8 hash function | u8 chunks | u8 0 | u32 P, then chunks (chunk-file.ts):
 *   PNAM  names of the packs' .idx files, each ended by NUL, in byte order
 *   OIDF  fanout 256 x u32
 *   OIDL  N ids
 *   OOFF  N x (u32 pack, u32 offset); with LOFF, an offset with the top bit set is an index into it
 *   LOFF  u64 offsets
 */
export const MIDX_MAGIC = 0x4d494458
const WHAT = 'multi-pack-index'

/** Where a multi-pack-index says that an object is. */
export interface MultiPackLocation {
  /** Index in {@link MultiPackIndex.packs}. */
  readonly pack: number
  readonly offset: number
}

/** One index over many packs, read in place from the bytes of a `multi-pack-index` file. */
export class MultiPackIndex {
  /** Names of the packs, `pack-<checksum>`. */
  readonly packs: readonly string[]
  readonly objectCount: number
  readonly #idLength: number
  readonly #fanout: DataView
  readonly #ids: Uint8Array
  readonly #offsets: DataView
  readonly #large: DataView | undefined

  /**
   * @param file the whole file, which is kept.
   * @throws GitError `CORRUPT_INDEX`
   */
  constructor(file: Uint8Array, format: ObjectFormat) {
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
    if (file.length < 12 || view.getUint32(0) !== MIDX_MAGIC || file[4] !== 1)
      throw corruptChunks(WHAT, 'its header is unknown')
    if (file[5] !== hashVersion(format)) throw corruptChunks(WHAT, 'it is of another hash function')
    const chunks = parseChunks(file, 12, file[6]!, format, WHAT)
    const chunk = (id: string): Uint8Array => {
      const bytes = chunks.get(id)
      if (bytes === undefined) throw corruptChunks(WHAT, `it has no chunk ${id}`)
      return bytes
    }
    const names = decodeUtf8(chunk('PNAM')).split('\0').slice(0, view.getUint32(8))
    if (names.length !== view.getUint32(8)) throw corruptChunks(WHAT, 'it names too few packs')
    this.packs = names.map((name) => name.replace(/\.idx$/, ''))
    this.#idLength = format.idLength
    this.#fanout = viewOf(chunk('OIDF'))
    this.#ids = chunk('OIDL')
    this.#offsets = viewOf(chunk('OOFF'))
    const large = chunks.get('LOFF')
    this.#large = large && viewOf(large)
    if (this.#fanout.byteLength !== 1024) throw corruptChunks(WHAT, 'its fanout has the wrong size')
    this.objectCount = this.#fanout.getUint32(1020)
    for (let k = 0, before = 0; k < 256; k++) {
      const count = this.#fanout.getUint32(4 * k)
      if (count < before) throw corruptChunks(WHAT, 'its fanout is not monotonic')
      before = count
    }
    const fits = this.#ids.length === this.objectCount * format.idLength
    if (!fits || this.#offsets.byteLength !== 8 * this.objectCount)
      throw corruptChunks(WHAT, 'its size does not fit')
  }

  /** The position in id order of the raw id at `bytes[at]`, or -1. */
  find(bytes: Uint8Array, at = 0): number {
    const first = bytes[at]!
    let low = first === 0 ? 0 : this.#fanout.getUint32(4 * (first - 1))
    let high = this.#fanout.getUint32(4 * first)
    while (low < high) {
      const middle = (low + high) >>> 1
      const order = compareRanges(this.#ids, middle * this.#idLength, bytes, at, this.#idLength)
      if (order === 0) return middle
      if (order < 0) low = middle + 1
      else high = middle
    }
    return -1
  }

  /** The raw id of this position, a view. */
  id(position: number): Uint8Array {
    return this.#ids.subarray(position * this.#idLength, (position + 1) * this.#idLength)
  }

  /**
   * Where the object of this position is.
   *
   * @throws GitError `CORRUPT_INDEX`
   */
  location(position: number): MultiPackLocation {
    const pack = this.#offsets.getUint32(8 * position)
    let offset = this.#offsets.getUint32(8 * position + 4)
    if (pack >= this.packs.length) throw corruptChunks(WHAT, 'an object is in a pack that is not named')
    if (this.#large !== undefined && offset >= 0x80000000) {
      const at = 8 * (offset - 0x80000000)
      if (at + 8 > this.#large.byteLength) throw corruptChunks(WHAT, 'a 64-bit offset is out of its table')
      offset = Number(this.#large.getBigUint64(at))
    }
    return { pack, offset }
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
