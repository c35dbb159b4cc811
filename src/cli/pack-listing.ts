import { encodeHex } from '../bytes/hex.ts'
import { objectTypeName, type ObjectType } from '../object/object-type.ts'
import { EntryHeader, MAX_ENTRY_HEADER, OFS_DELTA, REF_DELTA } from '../pack/entry-header.ts'
import type { RangeReader } from '../pack/indexer/file-window.ts'
import type { PackIndex } from '../pack/pack-index.ts'

/** How much of the pack is read at once. */
const PIECE = 1 << 20
/** Lines that are given out together. */
const LINES = 4096

/** What the headers of a pack's entries say, by rank. */
interface EntryColumns {
  /** The object's type; 0 for a delta as long as nobody has followed it. */
  readonly types: Uint8Array
  /** Size of the entry inflated, in bytes. */
  readonly sizes: Float64Array
  /** Rank of a delta's base, -1 for none. */
  readonly bases: Int32Array
}

/**
 * The listing of `git verify-pack -v`, in pack order, then the histogram of delta chains, in pieces.
 *
 * A line has id, type, size of the entry inflated, size in the pack, offset, and for a delta its depth and base.
 *
 * @param pack verified, and complete in itself.
 * @param index of that very pack.
 */
export async function* formatPackListing(
  pack: RangeReader,
  index: PackIndex,
  withObjects: boolean,
): AsyncGenerator<string, void, undefined> {
  const { types, sizes, bases } = await readEntryHeaders(pack, index)
  const depths = followDeltas(types, bases)
  const { packOrder, sortedOffsets, objectCount, idLength } = index
  const chains: number[] = []
  let lines: string[] = []
  for (let position = 0; position < objectCount; position++) {
    const rank = packOrder[position]!
    const depth = depths[rank]!
    chains[depth] = (chains[depth] ?? 0) + 1
    if (!withObjects) continue
    const offset = sortedOffsets[position]!
    const end = position + 1 < objectCount ? sortedOffsets[position + 1]! : pack.size - idLength
    const type = objectTypeName(types[rank]! as ObjectType).padEnd(6)
    const delta = depth === 0 ? '' : ` ${depth} ${encodeHex(index.id(bases[rank]!))}`
    lines.push(`${encodeHex(index.id(rank))} ${type} ${sizes[rank]!} ${end - offset} ${offset}${delta}\n`)
    if (lines.length < LINES) continue
    yield lines.join('')
    lines = []
  }
  chains.forEach((objects, depth) => {
    const title = depth === 0 ? 'non delta' : `chain length = ${depth}`
    lines.push(`${title}: ${objects} object${objects === 1 ? '' : 's'}\n`)
  })
  yield lines.join('')
}

/** Reads the pack once, from its beginning to its end. */
async function readEntryHeaders(pack: RangeReader, index: PackIndex): Promise<EntryColumns> {
  const { objectCount, idLength, packOrder, sortedOffsets } = index
  const header = new EntryHeader()
  const types = new Uint8Array(objectCount)
  const sizes = new Float64Array(objectCount)
  const bases = new Int32Array(objectCount).fill(-1)
  for (let position = 0; position < objectCount;) {
    const from = sortedOffsets[position]!
    const length = Math.min(PIECE, pack.size - idLength - from)
    const [piece] = await pack.read([{ offset: from, length }])
    if (piece === undefined) break
    do {
      const rank = packOrder[position]!
      const offset = sortedOffsets[position]!
      header.parse(piece, offset - from, piece.length, idLength)
      sizes[rank] = header.size
      if (header.type === OFS_DELTA) bases[rank] = index.rankAt(offset - header.baseDistance)
      else if (header.type === REF_DELTA) bases[rank] = index.find(piece, header.baseIdAt)
      else types[rank] = header.type
      position++
    } while (position < objectCount && sortedOffsets[position]! + MAX_ENTRY_HEADER <= from + length)
  }
  return { types, sizes, bases }
}

/** Gives deltas the type of their object. Returns, by rank, the number of deltas to the whole object. */
function followDeltas(types: Uint8Array, bases: Int32Array): Uint32Array {
  const depths = new Uint32Array(types.length)
  const path: number[] = []
  for (let rank = 0; rank < types.length; rank++) {
    // Up to the nearest object whose type is known, and back down.
    let at = rank
    while (types[at] === 0) {
      path.push(at)
      at = bases[at]!
    }
    for (let depth = depths[at]! + 1; path.length > 0; depth++) {
      const delta = path.pop()!
      types[delta] = types[at]!
      depths[delta] = depth
    }
  }
  return depths
}
