import type { ObjectFormat } from '../../object/object-format.ts'
import { encodeChunkFile, hashVersion, type Chunk } from '../../pack/chunk-file.ts'
import { COMMIT_GRAPH_MAGIC, NO_PARENT, TOP_BIT } from './commit-graph.ts'
import { generationNumbers } from './generation-numbers.ts'

/** Commits as columns, in id order. All parents are among them. */
export interface GraphCommits {
  /** Raw ids side by side, ascending. */
  readonly ids: Uint8Array
  /** Raw ids of the root trees, side by side. */
  readonly trees: Uint8Array
  /** Positions of the parents of each. */
  readonly parents: readonly (readonly number[])[]
  /** Committer dates in seconds. */
  readonly times: Float64Array
}

/** The largest date the format holds. */
const MAX_TIME = 2 ** 34 - 1
/** The largest difference that is kept without the table for large ones. */
const MAX_OFFSET = 0x7fffffff

/** Encodes a commit-graph file with generation numbers of both versions, byte for byte the one that git writes. */
export function encodeCommitGraph(commits: GraphCommits, format: ObjectFormat): Uint8Array<ArrayBuffer> {
  const { ids, trees, parents, times } = commits
  const { idLength } = format
  const count = parents.length
  const { levels, correctedDates } = generationNumbers(parents, times)

  const fanout = new DataView(new ArrayBuffer(1024))
  for (let k = 0; k < count; k++) fanout.setUint32(4 * ids[k * idLength]!, k + 1)
  for (let k = 1; k < 256; k++)
    if (fanout.getUint32(4 * k) === 0) fanout.setUint32(4 * k, fanout.getUint32(4 * k - 4))

  const data = new Uint8Array(count * (idLength + 16))
  const dataView = new DataView(data.buffer)
  const dates = new DataView(new ArrayBuffer(4 * count))
  const largeDates: number[] = []
  const edges: number[] = []
  for (let k = 0; k < count; k++) {
    const row = k * (idLength + 16)
    const at = row + idLength
    const [first = NO_PARENT, second = NO_PARENT, ...others] = parents[k]!
    data.set(trees.subarray(k * idLength, (k + 1) * idLength), row)
    dataView.setUint32(at, first)
    if (others.length === 0) {
      dataView.setUint32(at + 4, second)
    } else {
      dataView.setUint32(at + 4, TOP_BIT + edges.length)
      edges.push(second, ...others)
      edges[edges.length - 1]! += TOP_BIT
    }
    const time = Math.min(times[k]!, MAX_TIME)
    dataView.setUint32(at + 8, ((levels[k]! << 2) | Math.floor(time / 0x100000000)) >>> 0)
    dataView.setUint32(at + 12, time % 0x100000000)
    const offset = correctedDates[k]! - times[k]!
    dates.setUint32(4 * k, offset <= MAX_OFFSET ? offset : TOP_BIT + largeDates.push(offset) - 1)
  }

  const chunks: Chunk[] = [
    { id: 'OIDF', bytes: new Uint8Array(fanout.buffer) },
    { id: 'OIDL', bytes: ids },
    { id: 'CDAT', bytes: data },
    { id: 'GDA2', bytes: new Uint8Array(dates.buffer) },
  ]
  if (largeDates.length > 0) {
    const table = new DataView(new ArrayBuffer(8 * largeDates.length))
    largeDates.forEach((offset, k) => {
      table.setBigUint64(8 * k, BigInt(offset))
    })
    chunks.push({ id: 'GDO2', bytes: new Uint8Array(table.buffer) })
  }
  if (edges.length > 0) {
    const table = new DataView(new ArrayBuffer(4 * edges.length))
    edges.forEach((edge, k) => {
      table.setUint32(4 * k, edge)
    })
    chunks.push({ id: 'EDGE', bytes: new Uint8Array(table.buffer) })
  }
  const header = new Uint8Array(8)
  new DataView(header.buffer).setUint32(0, COMMIT_GRAPH_MAGIC)
  header.set([1, hashVersion(format), chunks.length, 0], 4)
  return encodeChunkFile(header, chunks, format)
}
