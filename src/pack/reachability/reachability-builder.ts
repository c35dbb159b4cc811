import { Arena } from '../../bytes/arena.ts'
import { parseCommitLinks } from '../../object/commit-links.ts'
import { IdTable } from '../../object/id-table.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import { COMMIT, TAG, TREE } from '../../object/object-type.ts'
import { parseTagTarget } from '../../object/tag-target.ts'
import type { PackIndex } from '../pack-index.ts'
import {
  layOutReachability,
  REACHABILITY_MAGIC,
  REACHABILITY_VERSION,
  STORED_AS_REF_DELTA,
} from './pack-reachability.ts'
import { compareTrees, type TreeDifferenceSink } from './tree-difference.ts'

/**
 * Collects what each object of a pack points at while the pack is being indexed, when every tree is inflated anyway.
 *
 * Rows are positions in the pack. Ids are kept raw, 20 or 32 bytes an edge, until `encode` turns them into nodes. Trees are recorded as
 * differences to their delta base, which is at hand at that moment.
 */
export class ReachabilityBuilder {
  readonly #format: ObjectFormat
  readonly #ids = new Arena(1 << 14)
  /** One per edge: 1 when it is a removal. */
  readonly #removals = new Arena(1 << 10)
  /** First edge and number of edges, by row. */
  #firstEdge: Int32Array
  #edgeCount: Int32Array
  #types: Uint8Array
  #bases: Int32Array
  readonly #commitRows: number[] = []
  readonly #commitTimes: number[] = []
  readonly #sink: TreeDifferenceSink
  #bytes: Uint8Array = new Uint8Array(0)

  constructor(objectCount: number, format: ObjectFormat) {
    this.#format = format
    this.#firstEdge = new Int32Array(objectCount)
    this.#edgeCount = new Int32Array(objectCount)
    this.#types = new Uint8Array(objectCount)
    this.#bases = new Int32Array(objectCount).fill(-1)
    this.#sink = {
      added: (idAt) => {
        this.#addEdge(this.#bytes, idAt, 0)
      },
      removed: (idAt) => {
        this.#addEdge(this.#bytes, idAt, 1)
      },
    }
  }

  /**
   * Records the object whose body is `bytes[start, end)`.
   *
   * @param base row of the delta base, or -1; its body is then `bytes[baseStart, baseEnd)`.
   * @throws GitError `CORRUPT_OBJECT`
   */
  add(
    row: number,
    type: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    base: number,
    baseStart: number,
    baseEnd: number,
  ): void {
    if (row >= this.#types.length) this.#grow(row + 1)
    const first = this.#removals.length
    this.#types[row]! |= type
    this.#bases[row] = base
    this.#firstEdge[row] = first
    if (type === TREE) {
      this.#bytes = bytes
      compareTrees(bytes, baseStart, baseEnd, start, end, this.#format.idLength, this.#sink)
    } else if (type === COMMIT) {
      const links = parseCommitLinks(bytes.subarray(start, end), this.#format)
      this.#addEdge(links.tree, 0, 0)
      for (const parent of links.parents) this.#addEdge(parent, 0, 0)
      this.#commitRows.push(row)
      this.#commitTimes.push(links.committerTime)
    } else if (type === TAG) {
      this.#addEdge(parseTagTarget(bytes.subarray(start, end), this.#format).id, 0, 0)
    }
    this.#edgeCount[row] = this.#removals.length - first
  }

  /** Records that the entry of this row is stored as a ref-delta. */
  addRefDelta(row: number): void {
    if (row >= this.#types.length) this.#grow(row + 1)
    this.#types[row] = STORED_AS_REF_DELTA
  }

  #addEdge(bytes: Uint8Array, idAt: number, removal: number): void {
    const { idLength } = this.#format
    const at = this.#ids.reserve(idLength)
    const ids = this.#ids.bytes
    for (let k = 0; k < idLength; k++) ids[at + k] = bytes[idAt + k]!
    const edge = this.#removals.reserve(1)
    this.#removals.bytes[edge] = removal
  }

  #grow(least: number): void {
    const count = Math.max(least, 2 * this.#types.length)
    const grow = <Column extends Int32Array | Uint8Array>(column: Column, bigger: Column): Column => {
      bigger.set(column)
      return bigger
    }
    this.#firstEdge = grow(this.#firstEdge, new Int32Array(count))
    this.#edgeCount = grow(this.#edgeCount, new Int32Array(count))
    this.#types = grow(this.#types, new Uint8Array(count))
    this.#bases = grow(this.#bases, new Int32Array(count).fill(-1))
  }

  /** Encodes the reachability file of the pack with this index. */
  encode(index: PackIndex): Uint8Array<ArrayBuffer> {
    const { idLength, hash } = this.#format
    const objects = index.objectCount
    const edges = this.#removals.length
    const externals = new IdTable(idLength)
    const nodes = this.#resolveEdges(index, externals)
    const commits = this.#commitRows.map((row, k) => ({ row, time: this.#commitTimes[k]! }))
    commits.sort((left, right) => left.row - right.row)

    const counts = { objects, externals: externals.size, commits: commits.length, edges }
    const layout = layOutReachability(counts, idLength)
    const bytes = new Uint8Array(layout.checksum + idLength)
    const view = new DataView(bytes.buffer)
    const header = [
      REACHABILITY_MAGIC,
      REACHABILITY_VERSION,
      objects,
      counts.externals,
      counts.commits,
      edges,
    ]
    header.forEach((word, k) => {
      view.setUint32(4 * k, word, true)
    })
    bytes.set(index.packChecksum, 24)
    bytes.set(this.#types.subarray(0, objects), layout.types)
    let at = 0
    for (let row = 0; row < objects; row++) {
      view.setInt32(layout.bases + 4 * row, this.#bases[row]!, true)
      view.setUint32(layout.edgeStarts + 4 * row, at, true)
      const first = this.#firstEdge[row]!
      for (let k = 0; k < this.#edgeCount[row]!; k++) {
        view.setInt32(layout.edges + 4 * at++, nodes[first + k]!, true)
      }
    }
    view.setUint32(layout.edgeStarts + 4 * objects, at, true)
    commits.forEach(({ row, time }, k) => {
      view.setUint32(layout.commits + 4 * k, row, true)
      view.setFloat64(layout.times + 8 * k, time, true)
    })
    bytes.set(externals.ids, layout.externals)
    hash.digestRangeInto(bytes, 0, layout.checksum, bytes, layout.checksum)
    return bytes
  }

  /** The node of every edge, `~node` for removals. */
  #resolveEdges(index: PackIndex, externals: IdTable): Int32Array {
    const { idLength } = this.#format
    const objects = index.objectCount
    const positions = index.positions
    const edges = this.#removals.length
    const nodes = new Int32Array(edges)
    const ids = this.#ids.bytes
    const removals = this.#removals.bytes
    for (let edge = 0; edge < edges; edge++) {
      const rank = index.find(ids, edge * idLength)
      const node = rank >= 0 ? positions[rank]! : objects + externals.add(ids, edge * idLength)
      nodes[edge] = removals[edge] === 1 ? ~node : node
    }
    return nodes
  }
}
