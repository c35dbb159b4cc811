import { encodeHex } from '../bytes/hex.ts'
import { objectTypeName, type ObjectType } from '../object/object-type.ts'
import { EntryHeader } from '../pack/entry-header.ts'
import type { EntryTable } from '../pack/indexer/entry-table.ts'

/**
 * The listing of `git verify-pack -v`, in pack order, then the histogram of delta chains.
 *
 * A line has id, type, size of the entry inflated, size in the pack, offset, and for a delta its depth and base.
 */
export function formatPackListing(pack: Uint8Array, table: EntryTable, withObjects: boolean): string {
  const { count, idLength } = table
  const header = new EntryHeader()
  const { bases, depths } = deltaChains(table)
  const chains: number[] = []
  const lines: string[] = []
  for (let row = 0; row < count; row++) {
    const depth = depths[row]!
    chains[depth] = (chains[depth] ?? 0) + 1
    if (!withObjects) continue
    const offset = table.offsets[row]!
    const end = row + 1 < count ? table.offsets[row + 1]! : pack.length - idLength
    header.parse(pack, offset, end, idLength)
    const type = objectTypeName(table.types[row]! as ObjectType).padEnd(6)
    const id = encodeHex(table.ids, row * idLength, (row + 1) * idLength)
    const base = bases[row]!
    const delta =
      depth === 0 ? '' : ` ${depth} ${encodeHex(table.ids, base * idLength, (base + 1) * idLength)}`
    lines.push(`${id} ${type} ${header.size} ${end - offset} ${offset}${delta}\n`)
  }
  chains.forEach((objects, depth) => {
    const title = depth === 0 ? 'non delta' : `chain length = ${depth}`
    lines.push(`${title}: ${objects} object${objects === 1 ? '' : 's'}\n`)
  })
  return lines.join('')
}

/** For every row the row of its base (-1: none) and the number of deltas to its whole object. */
function deltaChains(table: EntryTable): { bases: Int32Array; depths: Uint32Array } {
  const bases = new Int32Array(table.count).fill(-1)
  for (let row = 0; row < table.count; row++) {
    for (let child = table.firstChild[row]!; child >= 0; child = table.nextSibling[child]!) bases[child] = row
  }
  const depths = new Uint32Array(table.count)
  const path: number[] = []
  for (let row = 0; row < table.count; row++) {
    // A ref-delta may stand before its base: climb to what is known already, then come back down.
    let at = row
    while (bases[at]! >= 0 && depths[at] === 0) {
      path.push(at)
      at = bases[at]!
    }
    for (let depth = depths[at]! + 1; path.length > 0; depth++) depths[path.pop()!] = depth
  }
  return { bases, depths }
}
