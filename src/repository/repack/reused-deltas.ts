import type { NamedEnumeration } from '../../graph/enumerate-named.ts'
import type { StoredEntries } from './stored-entries.ts'

/** Stored deltas that are kept, as columns by ordinal. */
export interface ReusedDeltas {
  /** Ordinal of the base, -1 where no stored delta is kept. */
  readonly bases: Int32Array
  /** The longest chain of kept deltas that is built on the object. */
  readonly depthAbove: Uint16Array
  readonly count: number
}

const NEW = 0
const ON_PATH = 1
const DONE = 2

/** Keeps the stored deltas whose base is packed too, except those that would close a circle or make a chain longer than `maxDepth`. */
export function selectReusedDeltas(
  { objects }: NamedEnumeration,
  stored: StoredEntries,
  maxDepth: number,
): ReusedDeltas {
  const count = objects.size
  const bases = new Int32Array(count).fill(-1)
  for (let ordinal = 0; ordinal < count; ordinal++) {
    const rank = stored.baseRanks[ordinal]!
    if (rank < 0) continue
    const { index } = stored.files[stored.packs[ordinal]!]!
    bases[ordinal] = objects.find(index.bytes, index.idAt(rank))
  }
  const depths = new Uint16Array(count)
  const state = new Uint8Array(count)
  const path: number[] = []
  for (let start = 0; start < count; start++) {
    let at = start
    while (at >= 0 && state[at] === NEW) {
      state[at] = ON_PATH
      path.push(at)
      at = bases[at]!
    }
    // A base that is on the path itself closes a circle of deltas between packs: the last one on the path is made anew.
    if (at >= 0 && state[at] === ON_PATH) bases[path.at(-1)!] = -1
    for (let ordinal = path.pop(); ordinal !== undefined; ordinal = path.pop()) {
      state[ordinal] = DONE
      const base = bases[ordinal]!
      if (base < 0) continue
      const depth = depths[base]! + 1
      if (depth > maxDepth) bases[ordinal] = -1
      else depths[ordinal] = depth
    }
  }
  return { bases, ...depthsAbove(bases, depths) }
}

function depthsAbove(
  bases: Int32Array,
  depths: Uint16Array,
): { readonly depthAbove: Uint16Array; readonly count: number } {
  const deltas = new Uint32Array(bases.length)
  let count = 0
  for (let ordinal = 0; ordinal < bases.length; ordinal++) if (bases[ordinal]! >= 0) deltas[count++] = ordinal
  const depthAbove = new Uint16Array(bases.length)
  for (const ordinal of deltas.subarray(0, count).sort((left, right) => depths[right]! - depths[left]!)) {
    const base = bases[ordinal]!
    depthAbove[base] = Math.max(depthAbove[base]!, depthAbove[ordinal]! + 1)
  }
  return { depthAbove, count }
}
