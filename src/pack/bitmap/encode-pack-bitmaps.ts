import { concatBytes } from '../../bytes/concat.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import { BLOB, COMMIT, TAG, TREE, type ObjectType } from '../../object/object-type.ts'
import type { PackIndex } from '../pack-index.ts'
import type { PackReachability } from '../reachability/pack-reachability.ts'
import { createBits, encodeEwah, setBit } from './ewah.ts'

/*
 * Layout of `pack-*.bitmap` (git's technical/bitmap-format), N objects, numbered by their position in the pack:
 *   'BITM' | u16 version 1 | u16 flags | u32 entries E | pack checksum
 *   four compressed bitmaps: which objects are commits, trees, blobs, tags
 *   E x (u32 rank of the commit in the index, u8 how many entries back is the one it is XORed with, u8 flags, compressed bitmap)
 *   with flag HASH_CACHE: N x u32 hash of the path, by rank
 *   checksum over all before it
 */
export const BITMAP_MAGIC = 0x4249544d
export const BITMAP_VERSION = 1
const FULL_DAG = 1
export const HASH_CACHE = 4
export const TYPE_ORDER: readonly ObjectType[] = [COMMIT, TREE, BLOB, TAG]

/** How many of the bitmaps before it a new one is XORed with, to keep the shortest result. */
const XOR_CANDIDATES = 4

/** A commit with everything it reaches. */
export interface CommitBits {
  /** Position of the commit in the pack. */
  readonly position: number
  readonly bits: Uint32Array
}

/**
 * Encodes the `.bitmap` file of a pack.
 *
 * @param commits in an order in which neighbours have much in common. Taken one after the other; a few are held at a time.
 * @param pathHashes by rank, to be kept with it.
 */
export function encodePackBitmaps(
  index: PackIndex,
  reachability: PackReachability,
  commits: Iterable<CommitBits>,
  format: ObjectFormat,
  pathHashes?: Uint32Array,
): Uint8Array {
  const { objectCount } = index
  const pieces: Uint8Array[] = TYPE_ORDER.map((type) => {
    const bits = createBits(objectCount)
    for (let position = 0; position < objectCount; position++)
      if (reachability.type(position) === type) setBit(bits, position)
    return encodeEwah(bits)
  })
  const recent: Uint32Array[] = []
  let count = 0
  for (const { position, bits } of commits) {
    let best = encodeEwah(bits)
    let back = 0
    recent.forEach((other, at) => {
      const encoded = encodeEwah(bits.map((word, k) => word ^ other[k]!))
      if (encoded.length >= best.length) return
      best = encoded
      back = recent.length - at
    })
    const head = new Uint8Array(6)
    new DataView(head.buffer).setUint32(0, index.packOrder[position]!)
    head[4] = back
    pieces.push(head, best)
    recent.push(bits)
    if (recent.length > XOR_CANDIDATES) recent.shift()
    count++
  }
  const header = new Uint8Array(12)
  const view = new DataView(header.buffer)
  view.setUint32(0, BITMAP_MAGIC)
  view.setUint16(4, BITMAP_VERSION)
  view.setUint16(6, FULL_DAG | (pathHashes === undefined ? 0 : HASH_CACHE))
  view.setUint32(8, count)
  const hashes = new Uint8Array(4 * (pathHashes?.length ?? 0))
  const hashView = new DataView(hashes.buffer)
  pathHashes?.forEach((hash, rank) => {
    hashView.setUint32(4 * rank, hash)
  })
  const file = concatBytes([header, index.packChecksum, ...pieces, hashes, new Uint8Array(format.idLength)])
  const end = file.length - format.idLength
  format.hash.digestRangeInto(file, 0, end, file, end)
  return file
}
