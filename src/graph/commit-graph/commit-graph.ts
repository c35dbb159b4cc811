import { compareRanges } from '../../bytes/compare.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import { corruptChunks, hashVersion, parseChunks } from '../../pack/chunk-file.ts'

/*
 * Layout of a commit-graph file (gitformat-commit-graph), N commits, ids of H bytes:
 *   'CGPH' | u8 version 1 | u8 hash function | u8 chunks | u8 base graphs, then chunks (pack/chunk-file.ts):
 *   OIDF  fanout 256 x u32
 *   OIDL  N ids
 *   CDAT  N x (tree H, u32 first parent, u32 second parent, u32 level << 2 | time >> 32, u32 time)
 *   GDA2  N x u32 how much later than its time the corrected date of a commit is; with the top bit set, an index into GDO2
 *   GDO2  u64 values of GDA2 that take more than 31 bits
 *   EDGE  u32 parents from the second on, of commits with more than two; the last of each has the top bit set
 * A parent is a position; NO_PARENT stands for none; a second parent with the top bit set is an index into EDGE.
 */
export const COMMIT_GRAPH_MAGIC = 0x43475048
export const NO_PARENT = 0x70000000
export const TOP_BIT = 0x80000000
const WHAT = 'commit-graph'

/**
 * A commit-graph file, read in place: for every commit its root tree, parents, date and generation numbers, by its position in id order.
 *
 * Files that build on others (chains) are not read.
 */
export class CommitGraph {
  readonly commitCount: number
  readonly #format: ObjectFormat
  readonly #fanout: DataView
  readonly #ids: Uint8Array
  readonly #data: DataView
  readonly #trees: Uint8Array
  readonly #dates: DataView | undefined
  readonly #largeDates: DataView | undefined
  readonly #edges: DataView | undefined

  /**
   * @param file the whole file, which is kept.
   * @throws GitError `CORRUPT_INDEX`
   */
  constructor(file: Uint8Array, format: ObjectFormat) {
    const view = viewOf(file)
    if (file.length < 8 || view.getUint32(0) !== COMMIT_GRAPH_MAGIC || file[4] !== 1)
      throw corruptChunks(WHAT, 'its header is unknown')
    if (file[5] !== hashVersion(format)) throw corruptChunks(WHAT, 'it is of another hash function')
    if (file[7] !== 0) throw corruptChunks(WHAT, 'it is a part of a chain')
    const chunks = parseChunks(file, 8, file[6]!, format, WHAT)
    const chunk = (id: string): Uint8Array => {
      const bytes = chunks.get(id)
      if (bytes === undefined) throw corruptChunks(WHAT, `it has no chunk ${id}`)
      return bytes
    }
    const optional = (id: string): DataView | undefined => {
      const bytes = chunks.get(id)
      return bytes && viewOf(bytes)
    }
    this.#format = format
    this.#fanout = viewOf(chunk('OIDF'))
    this.#ids = chunk('OIDL')
    this.#trees = chunk('CDAT')
    this.#data = viewOf(this.#trees)
    this.#dates = optional('GDA2')
    this.#largeDates = optional('GDO2')
    this.#edges = optional('EDGE')
    if (this.#fanout.byteLength !== 1024) throw corruptChunks(WHAT, 'its fanout has the wrong size')
    this.commitCount = this.#fanout.getUint32(1020)
    for (let k = 0, before = 0; k < 256; k++) {
      const count = this.#fanout.getUint32(4 * k)
      if (count < before) throw corruptChunks(WHAT, 'its fanout is not monotonic')
      before = count
    }
    const fits =
      this.#ids.length === this.commitCount * format.idLength &&
      this.#trees.length === this.commitCount * (format.idLength + 16) &&
      (this.#dates === undefined || this.#dates.byteLength === 4 * this.commitCount)
    if (!fits) throw corruptChunks(WHAT, 'its size does not fit')
  }

  /** The position of the commit whose raw id is at `bytes[at]`, or -1. */
  find(bytes: Uint8Array, at = 0): number {
    const { idLength } = this.#format
    const first = bytes[at]!
    let low = first === 0 ? 0 : this.#fanout.getUint32(4 * (first - 1))
    let high = this.#fanout.getUint32(4 * first)
    while (low < high) {
      const middle = (low + high) >>> 1
      const order = compareRanges(this.#ids, middle * idLength, bytes, at, idLength)
      if (order === 0) return middle
      if (order < 0) low = middle + 1
      else high = middle
    }
    return -1
  }

  /** The raw id of a commit, a view. */
  id(position: number): Uint8Array {
    const { idLength } = this.#format
    return this.#ids.subarray(position * idLength, (position + 1) * idLength)
  }

  /** The raw id of a commit's root tree, a view. */
  tree(position: number): Uint8Array {
    const at = this.#rowAt(position)
    return this.#trees.subarray(at, at + this.#format.idLength)
  }

  /**
   * Positions of the parents, in order.
   *
   * @throws GitError `CORRUPT_INDEX`
   */
  parents(position: number): number[] {
    const at = this.#rowAt(position) + this.#format.idLength
    const first = this.#data.getUint32(at)
    const second = this.#data.getUint32(at + 4)
    const parents: number[] = []
    if (first !== NO_PARENT) parents.push(first)
    if (second >= TOP_BIT) this.#readEdges(second - TOP_BIT, parents)
    else if (second !== NO_PARENT) parents.push(second)
    for (const parent of parents)
      if (parent >= this.commitCount) throw corruptChunks(WHAT, 'a parent is out of its bounds')
    return parents
  }

  #readEdges(start: number, parents: number[]): void {
    for (let edge = start; ; edge++) {
      if (this.#edges === undefined || 4 * edge + 4 > this.#edges.byteLength)
        throw corruptChunks(WHAT, 'a list of parents is out of its bounds')
      const parent = this.#edges.getUint32(4 * edge)
      parents.push(parent % TOP_BIT)
      if (parent >= TOP_BIT) return
    }
  }

  /** Committer date in seconds. */
  time(position: number): number {
    const at = this.#rowAt(position) + this.#format.idLength + 8
    return (this.#data.getUint32(at) & 3) * 0x100000000 + this.#data.getUint32(at + 4)
  }

  /** Generation number, version 1: one more than the largest of the parents'. */
  level(position: number): number {
    return this.#data.getUint32(this.#rowAt(position) + this.#format.idLength + 8) >>> 2
  }

  /** Generation number, version 2: the commit's date, or later than all of its parents'; `undefined` where the file has none. */
  correctedDate(position: number): number | undefined {
    if (this.#dates === undefined) return undefined
    const offset = this.#dates.getUint32(4 * position)
    if (offset < TOP_BIT) return this.time(position) + offset
    const at = 8 * (offset - TOP_BIT)
    if (this.#largeDates === undefined || at + 8 > this.#largeDates.byteLength)
      throw corruptChunks(WHAT, 'a corrected date is out of its table')
    return this.time(position) + Number(this.#largeDates.getBigUint64(at))
  }

  #rowAt(position: number): number {
    return position * (this.#format.idLength + 16)
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
