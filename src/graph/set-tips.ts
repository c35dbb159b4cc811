import { IdTable } from '../object/id-table.ts'
import type { ReachablePack } from './reachability-set.ts'

/**
 * The objects of some packs that none of their objects names: all others are reached from these. `undefined` where not everything that
 * they name is in one of them, or a mask hides some of it.
 */
export function findSetTips(packs: readonly ReachablePack[]): IdTable | undefined {
  const [first] = packs
  if (first === undefined || packs.some(({ mask }) => mask !== undefined)) return undefined
  const { idLength } = first.index
  const named = new IdTable(
    idLength,
    packs.reduce((sum, { reachability }) => sum + reachability.externalCount, 0),
  )
  for (const { reachability } of packs) {
    const { externals, externalCount } = reachability
    for (let external = 0; external < externalCount; external++) {
      const at = external * idLength
      if (!packs.some(({ index }) => index.find(externals, at) >= 0)) return undefined
      named.add(externals, at)
    }
  }
  const tips = new IdTable(idLength)
  for (const pack of packs) {
    const { bytes } = pack.index
    for (const position of pack.reachability.tips) {
      const at = pack.index.idAt(pack.index.packOrder[position]!)
      const isNamed = named.has(bytes, at) || packs.some((other) => other !== pack && names(other, bytes, at))
      if (!isNamed) tips.add(bytes, at)
    }
  }
  return tips
}

/** Whether a pack has an object, and another object that names it. */
function names({ index, reachability }: ReachablePack, bytes: Uint8Array, at: number): boolean {
  const rank = index.find(bytes, at)
  if (rank < 0) return false
  const { tips } = reachability
  const position = index.positions[rank]!
  let low = 0
  let high = tips.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (tips[middle]! < position) low = middle + 1
    else high = middle
  }
  return tips[low] !== position
}
