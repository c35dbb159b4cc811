import { GitError } from '../../errors.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import type { ObjectType } from '../../object/object-type.ts'

/*
 * Layout of a reachability file, all numbers little-endian, each section padded to 8 bytes. N objects, numbered by their position in
 * the pack; node n < N is an object of the pack, node N + k is external id k: an object that the pack names and does not have.
 *
 *   header         64 bytes: u32 magic, u32 version, u32 N, u32 externals X, u32 commits C, u32 edges E, then the raw pack checksum
 *   types          N x u8      object type; bit 7 is set when the object is stored as a ref-delta
 *   bases          N x i32     position of the object that this one is stored as a delta on, -1 when stored whole
 *   edgeStarts     (N+1) x u32 where the edges of each object begin
 *   edges          E x i32     nodes, see below
 *   commits        C x u32     positions of the commits, ascending
 *   times          C x f64     committer date of each, in seconds
 *   externals      X ids
 *   checksum       over all before it
 *
 * Edges of a commit: its root tree, then its parents in order. Of a tag: its target. Of a tree stored whole: its entries. Of a tree
 * stored as a delta: n >= 0 is an entry that the base does not have, ~n an entry of the base that this one does not have. One edge per
 * entry, so an object that a tree has twice is there twice, and additions and removals cancel one for one. Submodules have none.
 */
export const REACHABILITY_MAGIC = 0x47525350
export const REACHABILITY_VERSION = 1
export const REACHABILITY_HEADER = 64
export const STORED_AS_REF_DELTA = 0x80

/** Where each section begins, and where the checksum is. */
export interface ReachabilityLayout {
  readonly types: number
  readonly bases: number
  readonly edgeStarts: number
  readonly edges: number
  readonly commits: number
  readonly times: number
  readonly externals: number
  readonly checksum: number
}

export interface ReachabilityCounts {
  readonly objects: number
  readonly externals: number
  readonly commits: number
  readonly edges: number
}

/** The sections for these counts. */
export function layOutReachability(counts: ReachabilityCounts, idLength: number): ReachabilityLayout {
  let at = REACHABILITY_HEADER
  const section = (bytes: number): number => {
    const start = at
    at += (bytes + 7) & ~7
    return start
  }
  return {
    types: section(counts.objects),
    bases: section(4 * counts.objects),
    edgeStarts: section(4 * (counts.objects + 1)),
    edges: section(4 * counts.edges),
    commits: section(4 * counts.commits),
    times: section(8 * counts.commits),
    externals: section(counts.externals * idLength),
    checksum: at,
  }
}

/**
 * What each object of a pack points at, as numbers: a walk over it touches no object.
 *
 * It is derived from the pack and can be built again at any time; it is trusted as far as its checksum and the name of its pack go.
 */
export class PackReachability {
  readonly objectCount: number
  readonly #types: Uint8Array
  /** Position of the delta base by position, -1 for objects stored whole. */
  readonly bases: Int32Array
  /** Where the edges of each object begin, one more entry than objects. */
  readonly edgeStarts: Uint32Array
  readonly edges: Int32Array
  readonly externalCount: number
  /** Raw ids of external nodes, side by side. */
  readonly externals: Uint8Array
  readonly #commits: Uint32Array
  readonly #times: Float64Array
  #tips: Uint32Array | undefined
  #deltaCount: number | undefined

  /**
   * @param file the whole file, which is kept, or a copy of it when it does not begin on a multiple of 8 of its buffer.
   * @throws GitError `CORRUPT_INDEX` when it is damaged, of an unknown version, or of another pack.
   */
  constructor(file: Uint8Array, packChecksum: Uint8Array, objectCount: number, format: ObjectFormat) {
    const { idLength, hash } = format
    const bytes = file.byteOffset % 8 === 0 ? file : Uint8Array.from(file)
    if (bytes.length < REACHABILITY_HEADER + idLength) throw corrupt('it is cut short')
    const header = new DataView(bytes.buffer, bytes.byteOffset, REACHABILITY_HEADER)
    if (header.getUint32(0, true) !== REACHABILITY_MAGIC) throw corrupt('its signature is wrong')
    if (header.getUint32(4, true) !== REACHABILITY_VERSION) throw corrupt('its version is unknown')
    const counts = {
      objects: header.getUint32(8, true),
      externals: header.getUint32(12, true),
      commits: header.getUint32(16, true),
      edges: header.getUint32(20, true),
    }
    const layout = layOutReachability(counts, idLength)
    if (bytes.length !== layout.checksum + idLength) throw corrupt('its size does not fit its header')
    const found = new Uint8Array(idLength)
    hash.digestRangeInto(bytes, 0, layout.checksum, found, 0)
    for (let k = 0; k < idLength; k++) {
      if (found[k] !== bytes[layout.checksum + k]) throw corrupt('its checksum is wrong')
      if (bytes[24 + k] !== packChecksum[k]) throw corrupt('it belongs to another pack')
    }
    if (counts.objects !== objectCount) throw corrupt('it belongs to another pack')
    const { buffer, byteOffset } = bytes
    this.objectCount = counts.objects
    this.#types = bytes.subarray(layout.types, layout.types + counts.objects)
    this.bases = new Int32Array(buffer, byteOffset + layout.bases, counts.objects)
    this.edgeStarts = new Uint32Array(buffer, byteOffset + layout.edgeStarts, counts.objects + 1)
    this.edges = new Int32Array(buffer, byteOffset + layout.edges, counts.edges)
    this.externalCount = counts.externals
    this.externals = bytes.subarray(layout.externals, layout.externals + counts.externals * idLength)
    this.#commits = new Uint32Array(buffer, byteOffset + layout.commits, counts.commits)
    this.#times = new Float64Array(buffer, byteOffset + layout.times, counts.commits)
  }

  /** The type of the object at this position. */
  type(position: number): ObjectType {
    return (this.#types[position]! & 7) as ObjectType
  }

  /** Whether the object at this position is stored as a ref-delta. */
  isRefDelta(position: number): boolean {
    return (this.#types[position]! & STORED_AS_REF_DELTA) !== 0
  }

  /** Positions of the objects that no object of the pack names: all others are reached from these. Found at the first call. */
  get tips(): Uint32Array {
    this.#tips ??= this.#findTips()
    return this.#tips
  }

  #findTips(): Uint32Array {
    const named = new Uint8Array(this.objectCount)
    const { edges, objectCount } = this
    for (let edge = 0; edge < edges.length; edge++) {
      const node = edges[edge]!
      // What a tree has of its delta base some tree has of its own, and both are in the pack.
      if (node >= 0 && node < objectCount) named[node] = 1
    }
    const tips: number[] = []
    for (let position = 0; position < objectCount; position++) if (named[position] === 0) tips.push(position)
    return Uint32Array.from(tips)
  }

  /** How many objects are stored as deltas. Counted at the first call. */
  get deltaCount(): number {
    if (this.#deltaCount === undefined) {
      let count = 0
      for (const base of this.bases) if (base >= 0) count++
      this.#deltaCount = count
    }
    return this.#deltaCount
  }

  /** Committer date, in seconds, of the commit at this position; 0 when it is no commit. */
  time(position: number): number {
    let low = 0
    let high = this.#commits.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const found = this.#commits[middle]!
      if (found === position) return this.#times[middle]!
      if (found < position) low = middle + 1
      else high = middle
    }
    return 0
  }
}

function corrupt(what: string): GitError {
  return new GitError(
    'CORRUPT_INDEX',
    `reachability file is not usable: ${what}; delete it, it will be built again`,
  )
}
