/** What delta search knows of the objects to be packed, as columns by ordinal, in the order of recency. */
export interface DeltaSearchColumns {
  readonly types: Uint8Array
  /** Size of the object in bytes. */
  readonly sizes: Float64Array
  /** See path-hash.ts. */
  readonly pathHashes: Uint32Array
}

/** Smaller objects are neither deltas nor bases: nothing is to be gained. */
const SMALLEST = 50

/**
 * The ordinals that take part in the search, in the order in which the window moves over them: by type, then by path hash, so that
 * versions of a file stand together, then the largest first, because deleting takes less room than adding, then by recency.
 *
 * @param leftOut 1 for ordinals that are settled already.
 */
export function deltaSearchOrder(
  { types, sizes, pathHashes }: DeltaSearchColumns,
  leftOut: Uint8Array,
  bigFileThreshold: number,
): Uint32Array {
  let count = 0
  const order = new Uint32Array(types.length)
  for (let ordinal = 0; ordinal < types.length; ordinal++) {
    const size = sizes[ordinal]!
    if (leftOut[ordinal] === 0 && size >= SMALLEST && size <= bigFileThreshold) order[count++] = ordinal
  }
  return order
    .subarray(0, count)
    .sort(
      (left, right) =>
        types[right]! - types[left]! ||
        pathHashes[right]! - pathHashes[left]! ||
        sizes[right]! - sizes[left]! ||
        left - right,
    )
}
