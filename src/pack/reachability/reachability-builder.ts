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

/** Rows and ids that are made room for at once on the word of a pack's header. */
const TRUSTED_COUNT = 1 << 20

/**
 * Collects what each object of a pack points at while the pack is being indexed, when every tree is inflated anyway.
 *
 * Rows are positions in the pack. An edge is a number for the id it names until `encode` turns that into a node: four bytes an edge, some
 * thirty for each id that is named. Trees are recorded as differences to their delta base, which is at hand at that moment.
 */
export class ReachabilityBuilder {
  readonly #format: ObjectFormat
  /** Every id that an edge names. */
  #ids: IdTable
  /** Ordinal in `#ids`, `~ordinal` for removals. */
  #edges: Int32Array
  #edgeCount = 0
  /** First edge and number of edges, by row. */
  #firstEdge: Int32Array
  #edgeCounts: Int32Array
  #types: Uint8Array
  /** Row of the delta base + 1, 0 for none. */
  #bases: Int32Array
  readonly #commitRows: number[] = []
  readonly #commitTimes: number[] = []
  readonly #sink: TreeDifferenceSink
  #bytes: Uint8Array = new Uint8Array(0)

  constructor(format: ObjectFormat) {
    this.#format = format
    this.#ids = new IdTable(format.idLength)
    this.#edges = new Int32Array(64)
    this.#firstEdge = new Int32Array(64)
    this.#edgeCounts = new Int32Array(64)
    this.#types = new Uint8Array(64)
    this.#bases = new Int32Array(64)
    this.#sink = {
      added: (idAt) => {
        this.#addEdge(this.#bytes, idAt, 0)
      },
      removed: (idAt) => {
        this.#addEdge(this.#bytes, idAt, 1)
      },
    }
  }

  /** Makes room for so many objects, before the first of them is added. Memory that is never written costs nothing. */
  expect(objectCount: number): void {
    const count = Math.min(objectCount, TRUSTED_COUNT)
    this.#ids = new IdTable(this.#format.idLength, count)
    this.#edges = new Int32Array(2 * count + 64)
    this.#grow(count)
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
    const first = this.#edgeCount
    this.#types[row]! |= type
    this.#bases[row] = base + 1
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
    this.#edgeCounts[row] = this.#edgeCount - first
  }

  /** Records that the entry of this row is stored as a ref-delta. */
  addRefDelta(row: number): void {
    if (row >= this.#types.length) this.#grow(row + 1)
    this.#types[row] = STORED_AS_REF_DELTA
  }

  #addEdge(bytes: Uint8Array, idAt: number, removal: number): void {
    if (this.#edgeCount === this.#edges.length) {
      this.#edges = grown(this.#edges, new Int32Array(Math.ceil(1.5 * this.#edges.length)))
    }
    const ordinal = this.#ids.add(bytes, idAt)
    this.#edges[this.#edgeCount++] = removal === 1 ? ~ordinal : ordinal
  }

  #grow(least: number): void {
    const count = Math.max(least, Math.ceil(1.5 * this.#types.length))
    this.#firstEdge = grown(this.#firstEdge, new Int32Array(count))
    this.#edgeCounts = grown(this.#edgeCounts, new Int32Array(count))
    this.#types = grown(this.#types, new Uint8Array(count))
    this.#bases = grown(this.#bases, new Int32Array(count))
  }

  /** Encodes the reachability file of the pack with this index. */
  encode(index: PackIndex): Uint8Array<ArrayBuffer> {
    const { idLength, hash } = this.#format
    const objects = index.objectCount
    if (objects > this.#types.length) this.#grow(objects)
    const edges = this.#edgeCount
    const { nodes, externals } = this.#resolveIds(index)
    const commits = this.#commitRows.length
    const counts = { objects, externals: externals.length / idLength, commits, edges }
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
      view.setInt32(layout.bases + 4 * row, this.#bases[row]! - 1, true)
      view.setUint32(layout.edgeStarts + 4 * row, at, true)
      const first = this.#firstEdge[row]!
      const last = first + this.#edgeCounts[row]!
      for (let edge = first; edge < last; edge++) {
        const id = this.#edges[edge]!
        view.setInt32(layout.edges + 4 * at++, id < 0 ? ~nodes[~id]! : nodes[id]!, true)
      }
    }
    view.setUint32(layout.edgeStarts + 4 * objects, at, true)
    const order = Uint32Array.from({ length: commits }, (_, k) => k)
    order.sort((left, right) => this.#commitRows[left]! - this.#commitRows[right]!)
    order.forEach((commit, k) => {
      view.setUint32(layout.commits + 4 * k, this.#commitRows[commit]!, true)
      view.setFloat64(layout.times + 8 * k, this.#commitTimes[commit]!, true)
    })
    bytes.set(externals, layout.externals)
    hash.digestRangeInto(bytes, 0, layout.checksum, bytes, layout.checksum)
    return bytes
  }

  /** The node of every id that an edge names, and the raw ids of those that are not in the pack. */
  #resolveIds(index: PackIndex): { readonly nodes: Int32Array; readonly externals: Uint8Array } {
    const { idLength } = this.#format
    const { positions, objectCount } = index
    const { ids, size } = this.#ids
    const nodes = new Int32Array(size)
    let count = 0
    for (let ordinal = 0; ordinal < size; ordinal++) {
      const rank = index.find(ids, ordinal * idLength)
      nodes[ordinal] = rank >= 0 ? positions[rank]! : objectCount + count++
    }
    const externals = new Uint8Array(count * idLength)
    for (let ordinal = 0; ordinal < size; ordinal++) {
      const external = nodes[ordinal]! - objectCount
      if (external < 0) continue
      externals.set(ids.subarray(ordinal * idLength, (ordinal + 1) * idLength), external * idLength)
    }
    return { nodes, externals }
  }
}

function grown<Column extends Int32Array | Uint8Array>(column: Column, bigger: Column): Column {
  bigger.set(column)
  return bigger
}
