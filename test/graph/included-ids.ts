import { encodeHex } from '../../src/bytes/hex.ts'
import type { Enumeration } from '../../src/graph/enumerate-objects.ts'
import { INCLUDED } from '../../src/graph/reachability-marks.ts'

/** Ids of what was enumerated, sorted; fails when an object was enumerated twice. */
export function includedIds({ marks, objects }: Enumeration): string[] {
  const ids: string[] = []
  for (let ordinal = 0; ordinal < objects.size; ordinal++) ids.push(encodeHex(objects.view(ordinal)))
  marks.set.packs.forEach(({ index }, pack) => {
    marks.marks[pack]?.forEach((mark, position) => {
      if ((mark & INCLUDED) !== 0) ids.push(encodeHex(index.id(index.packOrder[position]!)))
    })
  })
  if (new Set(ids).size !== ids.length) throw new Error('an object was enumerated twice')
  return ids.sort()
}
