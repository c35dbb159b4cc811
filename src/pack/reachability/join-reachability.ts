import { IdTable } from '../../object/id-table.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import { COMMIT } from '../../object/object-type.ts'
import type { PackIndex } from '../pack-index.ts'
import {
  layOutReachability,
  REACHABILITY_MAGIC,
  REACHABILITY_VERSION,
  STORED_AS_REF_DELTA,
  type PackReachability,
} from './pack-reachability.ts'

/** A pack whose entries stand in a joined one, in their order. */
export interface JoinedPack {
  readonly index: PackIndex
  readonly reachability: PackReachability
  /** The position that each of its objects has in the joined pack, by its position here. */
  readonly rows: Int32Array
  /** Its own entries stand from here on; objects at positions below are those of packs in front of it. */
  readonly firstRow: number
}

/** Makes the reachability file of a joined pack from those of the packs it was joined from: a delta there has the same base here. */
export function joinReachability(
  packs: readonly JoinedPack[],
  joined: PackIndex,
  format: ObjectFormat,
): Uint8Array<ArrayBuffer> {
  const { idLength, hash } = format
  const objects = joined.objectCount
  const { nodes, externals } = resolveExternals(packs, joined)
  const { commits, edges } = countKept(packs)
  const layout = layOutReachability({ objects, externals: externals.size, commits, edges }, idLength)
  const bytes = new Uint8Array(layout.checksum + idLength)
  const { buffer } = bytes
  const header = [REACHABILITY_MAGIC, REACHABILITY_VERSION, objects, externals.size, commits, edges]
  new Uint32Array(buffer).set(header)
  bytes.set(joined.packChecksum, 24)
  const bases = new Int32Array(buffer, layout.bases, objects)
  const edgeStarts = new Uint32Array(buffer, layout.edgeStarts, objects + 1)
  const out = new Int32Array(buffer, layout.edges, edges)
  const commitRows = new Uint32Array(buffer, layout.commits, commits)
  const times = new Float64Array(buffer, layout.times, commits)
  let edgeCount = 0
  let commitCount = 0
  packs.forEach(({ reachability, rows, firstRow }, k) => {
    const nodeOf = (node: number): number =>
      node < rows.length ? rows[node]! : nodes[k]![node - rows.length]!
    for (let position = 0; position < rows.length; position++) {
      const row = rows[position]!
      if (row < firstRow) continue
      const type = reachability.type(position)
      const base = reachability.bases[position]!
      bytes[layout.types + row] = reachability.isRefDelta(position) ? type | STORED_AS_REF_DELTA : type
      bases[row] = base < 0 ? -1 : rows[base]!
      edgeStarts[row] = edgeCount
      const end = reachability.edgeStarts[position + 1]!
      for (let edge = reachability.edgeStarts[position]!; edge < end; edge++) {
        const node = reachability.edges[edge]!
        out[edgeCount++] = node < 0 ? ~nodeOf(~node) : nodeOf(node)
      }
      if (type !== COMMIT) continue
      commitRows[commitCount] = row
      times[commitCount++] = reachability.time(position)
    }
  })
  edgeStarts[objects] = edgeCount
  bytes.set(externals.ids, layout.externals)
  hash.digestRangeInto(bytes, 0, layout.checksum, bytes, layout.checksum)
  return bytes
}

/** The node in the joined pack of each external one, by pack; and the ids of those that are external there too. */
function resolveExternals(
  packs: readonly JoinedPack[],
  joined: PackIndex,
): { readonly nodes: readonly Int32Array[]; readonly externals: IdTable } {
  const { idLength, objectCount } = joined
  const externals = new IdTable(idLength, undefined, 'named')
  const nodes = packs.map(({ reachability }) =>
    new Int32Array(reachability.externalCount).map((_, k) => {
      const rank = joined.find(reachability.externals, k * idLength)
      if (rank >= 0) return joined.positions[rank]!
      return objectCount + externals.add(reachability.externals, k * idLength)
    }),
  )
  return { nodes, externals }
}

function countKept(packs: readonly JoinedPack[]): { readonly commits: number; readonly edges: number } {
  let commits = 0
  let edges = 0
  for (const { reachability, rows, firstRow } of packs) {
    for (let position = 0; position < rows.length; position++) {
      if (rows[position]! < firstRow) continue
      edges += reachability.edgeStarts[position + 1]! - reachability.edgeStarts[position]!
      if (reachability.type(position) === COMMIT) commits++
    }
  }
  return { commits, edges }
}
