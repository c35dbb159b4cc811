import type { ObjectFormat } from '../../../src/object/object-format.ts'
import type { ObjectType } from '../../../src/object/object-type.ts'
import {
  BITMAP_MAGIC,
  BITMAP_VERSION,
  HASH_CACHE,
  TYPE_ORDER,
} from '../../../src/pack/bitmap/encode-pack-bitmaps.ts'
import { createBits, ewahLength, joinEwah } from '../../../src/pack/bitmap/ewah.ts'
import { assertChecksum, corruptChunks } from '../../../src/pack/chunk-file.ts'
import type { PackIndex } from '../../../src/pack/pack-index.ts'

const LOOKUP_TABLE = 16
const MAX_XOR_OFFSET = 160
const WHAT = 'bitmap index'

interface Entry {
  /** Where its compressed bitmap begins. */
  readonly at: number
  /** The entry it is XORed with, -1 for none. */
  readonly base: number
}

/** The reachability bitmaps of a pack, read from its `.bitmap` file: for some commits, everything they reach. */
export class PackBitmaps {
  /** Ranks of the commits that have a bitmap, in the order of the file. */
  readonly commits: readonly number[]
  /** Hashes of paths by rank, where the file has them. */
  readonly pathHashes: Uint32Array | undefined
  readonly #file: Uint8Array
  readonly #objectCount: number
  readonly #types: readonly number[]
  readonly #entries: readonly Entry[]
  readonly #numbers: ReadonlyMap<number, number>

  /**
   * @param file the whole file, which is kept.
   * @throws GitError `CORRUPT_INDEX` when it is damaged or of another pack.
   */
  constructor(file: Uint8Array, index: PackIndex, format: ObjectFormat) {
    const { idLength } = format
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
    if (file.length < 12 + 2 * idLength) throw corruptChunks(WHAT, 'it is cut short')
    if (view.getUint32(0) !== BITMAP_MAGIC || view.getUint16(4) !== BITMAP_VERSION)
      throw corruptChunks(WHAT, 'its header is unknown')
    assertChecksum(file, format, WHAT)
    if (index.packChecksum.some((byte, k) => byte !== file[12 + k]))
      throw corruptChunks(WHAT, 'it is of another pack')
    const flags = view.getUint16(6)
    const count = view.getUint32(8)
    let end = file.length - idLength
    this.#file = file
    this.#objectCount = index.objectCount
    if ((flags & HASH_CACHE) !== 0) {
      end -= 4 * index.objectCount
      if (end < 12 + idLength) throw corruptChunks(WHAT, 'its path hashes are cut short')
      const hashesAt = end
      this.pathHashes = Uint32Array.from({ length: index.objectCount }, (_, rank) =>
        view.getUint32(hashesAt + 4 * rank),
      )
    }
    if ((flags & LOOKUP_TABLE) !== 0) end -= 16 * count
    const body = file.subarray(0, Math.max(end, 0))
    let at = 12 + idLength
    this.#types = TYPE_ORDER.map(() => {
      const start = at
      at += ewahLength(body, at)
      return start
    })
    const commits: number[] = []
    const entries: Entry[] = []
    for (let entry = 0; entry < count; entry++) {
      if (at + 6 > end) throw corruptChunks(WHAT, 'its entries are cut short')
      const back = body[at + 4]!
      if (back > entry || back > MAX_XOR_OFFSET)
        throw corruptChunks(WHAT, 'an entry builds on one that is not there')
      commits.push(view.getUint32(at))
      entries.push({ at: at + 6, base: back === 0 ? -1 : entry - back })
      at += 6 + ewahLength(body, at + 6)
    }
    this.commits = commits
    this.#entries = entries
    this.#numbers = new Map(commits.map((rank, number) => [rank, number]))
  }

  /** Which objects are of a type, by position in the pack. */
  typeBits(type: ObjectType): Uint32Array {
    const bits = createBits(this.#objectCount)
    joinEwah(this.#file, this.#types[TYPE_ORDER.indexOf(type)]!, bits, 'or')
    return bits
  }

  /** Everything that the commit of this rank reaches, itself included, by position in the pack; `undefined` when it has no bitmap. */
  reachableBits(rank: number): Uint32Array | undefined {
    const number = this.#numbers.get(rank)
    if (number === undefined) return undefined
    const bits = createBits(this.#objectCount)
    for (let at = number; at >= 0; at = this.#entries[at]!.base)
      joinEwah(this.#file, this.#entries[at]!.at, bits, 'xor')
    return bits
  }
}
