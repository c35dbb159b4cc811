import { compareRanges } from '../../bytes/compare.ts'
import { isReachable, type PackFile, type ReachablePackFile } from '../../odb/pack-file.ts'
import type { JoinedPack } from '../../pack/reachability/join-reachability.ts'
import { Turns } from './turns.ts'

/** A pack whose entries are copied, and the row that each of its objects has in the joined pack. */
export interface CopiedPack extends JoinedPack {
  readonly file: ReachablePackFile
  /** The row of its first object that no pack in front of it has. Objects with lower rows are not copied again. */
  readonly firstRow: number
}

/** Which entries of several packs make up one, one behind the other. */
export interface JoinedRows {
  readonly packs: readonly CopiedPack[]
  readonly count: number
}

interface NumberedPack extends CopiedPack {
  /** How many deltas lead to each object, in the joined pack. */
  readonly depths: Uint8Array
}

/** Chains of deltas grow where a pack begins on what another one ends with; longer ones are not made. */
const MAX_DEPTH = 250

/**
 * Numbers the objects of packs that can be joined by copying their entries, the largest pack first: it stays as it is, and of what others have
 * as well the first entry is kept. `undefined` where that cannot be: objects that are not visible, entries without a known checksum or base.
 *
 * @throws the signal's reason
 */
export async function numberRows(
  files: readonly PackFile[],
  signal: AbortSignal,
): Promise<JoinedRows | undefined> {
  const sorted = [...files].sort((left, right) => right.data.size - left.data.size)
  if (!sorted.every(isReachable) || !sorted.every(isCopyable)) return undefined
  const turns = new Turns(signal)
  const packs: NumberedPack[] = []
  let count = 0
  for (const file of sorted) {
    const { index, reachability } = file
    const rows = new Int32Array(index.objectCount)
    const depths = new Uint8Array(index.objectCount)
    const firstRow = count
    for (let position = 0; position < rows.length; position++) {
      if (turns.isDue) await turns.take()
      const at = index.idAt(index.packOrder[position]!)
      rows[position] = -1
      for (let k = 0; k < packs.length && rows[position]! < 0; k++) {
        const former = packs[k]!
        const rank = former.index.find(index.bytes, at)
        if (rank < 0) continue
        const there = former.index.positions[rank]!
        rows[position] = former.rows[there]!
        depths[position] = former.depths[there]!
      }
      if (rows[position]! < 0) rows[position] = count++
    }
    // What a thin pack was completed with stands behind the deltas on it.
    for (let position = 0; position < rows.length; position++) {
      const base = reachability.bases[position]!
      if (base < 0 || rows[position]! < firstRow) continue
      if (depths[base]! >= MAX_DEPTH) return undefined
      depths[position] = depths[base]! + 1
    }
    packs.push({ file, index, reachability, rows, firstRow, depths })
  }
  return { packs, count }
}

function isCopyable({ index, mask }: PackFile): boolean {
  if (mask !== undefined || index.version === 1) return false
  const { bytes, idLength } = index
  for (let rank = 1; rank < index.objectCount; rank++) {
    if (compareRanges(bytes, index.idAt(rank - 1), bytes, index.idAt(rank), idLength) === 0) return false
  }
  return true
}
