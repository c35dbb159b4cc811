import { BLOB, COMMIT, TAG, TREE } from '../../object/object-type.ts'

/** How objects of each type follow each other in a pack: what walks read first stands first. */
const TYPE_ORDER = [COMMIT, TAG, TREE, BLOB] as const

/** The ordinals in the order they are written: by type, then by recency, but each base in front of its deltas. */
export function writeOrder(types: Uint8Array, bases: Int32Array): Uint32Array {
  const order = new Uint32Array(types.length)
  const placed = new Uint8Array(types.length)
  const chain: number[] = []
  let count = 0
  for (const type of TYPE_ORDER) {
    for (let start = 0; start < types.length; start++) {
      if (types[start] !== type) continue
      for (let at = start; at >= 0 && placed[at] === 0; at = bases[at]!) chain.push(at)
      for (let ordinal = chain.pop(); ordinal !== undefined; ordinal = chain.pop()) {
        placed[ordinal] = 1
        order[count++] = ordinal
      }
    }
  }
  return order
}
