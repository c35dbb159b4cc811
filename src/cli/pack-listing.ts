import { encodeHex } from '../bytes/hex.ts'
import { objectTypeName, type ObjectType } from '../object/object-type.ts'
import { EntryHeader, OFS_DELTA, REF_DELTA } from '../pack/entry-header.ts'
import type { PackIndex } from '../pack/pack-index.ts'

/**
 * The listing of `git verify-pack -v`, in pack order, then the histogram of delta chains.
 *
 * A line has id, type, size of the entry inflated, size in the pack, offset, and for a delta its depth and base.
 *
 * @param pack verified, and complete in itself.
 * @param index of that very pack.
 */
export function formatPackListing(pack: Uint8Array, index: PackIndex, withObjects: boolean): string {
  const { types, bases, depths } = followDeltas(pack, index)
  const header = new EntryHeader()
  const { packOrder, sortedOffsets, objectCount, idLength } = index
  const chains: number[] = []
  const lines: string[] = []
  for (let position = 0; position < objectCount; position++) {
    const rank = packOrder[position]!
    const depth = depths[rank]!
    chains[depth] = (chains[depth] ?? 0) + 1
    if (!withObjects) continue
    const offset = sortedOffsets[position]!
    const end = position + 1 < objectCount ? sortedOffsets[position + 1]! : pack.length - idLength
    header.parse(pack, offset, end, idLength)
    const type = objectTypeName(types[rank]! as ObjectType).padEnd(6)
    const delta = depth === 0 ? '' : ` ${depth} ${encodeHex(index.id(bases[rank]!))}`
    lines.push(`${encodeHex(index.id(rank))} ${type} ${header.size} ${end - offset} ${offset}${delta}\n`)
  }
  chains.forEach((objects, depth) => {
    const title = depth === 0 ? 'non delta' : `chain length = ${depth}`
    lines.push(`${title}: ${objects} object${objects === 1 ? '' : 's'}\n`)
  })
  return lines.join('')
}

/** By rank: the object's type, the rank of its base (-1: none), and the number of deltas to its whole object. */
function followDeltas(
  pack: Uint8Array,
  index: PackIndex,
): { readonly types: Uint8Array; readonly bases: Int32Array; readonly depths: Uint32Array } {
  const { objectCount, idLength } = index
  const header = new EntryHeader()
  const types = new Uint8Array(objectCount)
  const bases = new Int32Array(objectCount).fill(-1)
  const depths = new Uint32Array(objectCount)
  for (let rank = 0; rank < objectCount; rank++) {
    const offset = index.offset(rank)
    header.parse(pack, offset, pack.length - idLength, idLength)
    if (header.type === OFS_DELTA) bases[rank] = index.rankAt(offset - header.baseDistance)
    else if (header.type === REF_DELTA) bases[rank] = index.find(pack, header.baseIdAt)
    else types[rank] = header.type
  }
  const path: number[] = []
  for (let rank = 0; rank < objectCount; rank++) {
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
  return { types, bases, depths }
}
