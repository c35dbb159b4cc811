import type { DeltaSearchColumns } from '../../pack/delta-search/search-order.ts'

/** Smaller objects are neither deltas nor bases: nothing is to be gained. */
const SMALLEST = 50

/** Columns by ordinal: objects that are sent, then objects that the other side has. */
export interface FetchSearchColumns extends DeltaSearchColumns {
  /** How many are sent. */
  readonly sent: number
  /** A number for each path, 0 for none. */
  readonly paths: Uint32Array
  readonly packs: Int32Array
  readonly storedWhole: Uint8Array
}

/**
 * The ordinals in the order in which the window moves over them: as in a repack, but of one path what the other side has comes first.
 * An object that is compared with nothing, because everything near it is in its own pack, is left out.
 */
export function fetchSearchOrder(columns: FetchSearchColumns, window: number): Uint32Array {
  const { types, sizes, pathHashes, paths, sent } = columns
  const order = Uint32Array.from(types.keys())
    .filter((ordinal) => sizes[ordinal]! >= SMALLEST)
    .sort(
      (left, right) =>
        types[right]! - types[left]! ||
        pathHashes[right]! - pathHashes[left]! ||
        paths[right]! - paths[left]! ||
        Number(left < sent) - Number(right < sent) ||
        sizes[right]! - sizes[left]! ||
        left - right,
    )
  const takesPart = new Uint8Array(order.length)
  for (let at = 0; at < order.length; at++) {
    if (order[at]! >= sent) continue
    for (let before = Math.max(0, at - window); before < at; before++) {
      if (isCompared(columns, order[at]!, order[before]!)) takesPart[at] = takesPart[before] = 1
    }
  }
  return order.filter((_, at) => takesPart[at] === 1)
}

function isCompared(
  { types, packs, storedWhole }: FetchSearchColumns,
  target: number,
  base: number,
): boolean {
  return types[target] === types[base] && (storedWhole[target] === 0 || packs[target] !== packs[base])
}
