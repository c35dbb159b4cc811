import { COPY_DELTA, type PackSelection } from '../pack-selection.ts'
import type { WholeObjects } from './whole-objects.ts'

/**
 * How long the longest chain of deltas is that the selection copies on top of each object. Objects that the other side has, which
 * come behind those that are sent, are given `depth`: none of them becomes a delta.
 */
export function depthsAbove(
  { packs }: PackSelection,
  whole: WholeObjects,
  total: number,
  depth: number,
): Uint16Array {
  const heights = packs.map(({ actions, bases }) => {
    const height = new Map<number, number>()
    for (let position = 0; position < actions.length; position++) {
      if (actions[position] !== COPY_DELTA) continue
      let above = 1
      // Stops where a longer chain has passed already.
      for (let at = bases[position]!; at >= 0 && (height.get(at) ?? 0) < above; at = bases[at]!)
        height.set(at, above++)
    }
    return height
  })
  return Uint16Array.from({ length: total }, (_, ordinal) =>
    ordinal < whole.ids.size
      ? Math.min(depth, heights[whole.packs[ordinal]!]?.get(whole.positions[ordinal]!) ?? 0)
      : depth,
  )
}
