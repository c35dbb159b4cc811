import type { Arena } from '../../bytes/arena.ts'
import type { Codecs } from '../../codec/ports.ts'
import { applyDelta } from '../../delta/apply-delta.ts'
import { DeltaHeader } from '../../delta/delta-header.ts'
import { GitError } from '../../errors.ts'
import type { ObjectType } from '../../object/object-type.ts'
import { assertObjectSize, earlyEof, inEntry } from './entry-error.ts'
import { HEADROOM, type ObjectIntake } from './object-intake.ts'

/** From here on the live path of a delta tree is kept short by moving an only child down over its parent. */
const COMPACT_FROM = 1 << 20

/** The columns of an entry table that resolving reads and writes, see entry-table.ts. */
export interface ResolvedColumns {
  readonly offsets: Float64Array
  readonly dataAt: Uint8Array
  readonly sizes: Uint32Array
  readonly types: Uint8Array
  readonly ids: Uint8Array
  readonly deltaAt: Float64Array
  readonly firstChild: Int32Array
  readonly nextSibling: Int32Array
}

export interface TreeResolverOptions {
  readonly pack: Uint8Array
  readonly entriesEnd: number
  /** Its columns may be replaced between calls. */
  readonly table: ResolvedColumns
  /** All deltas of the pack, inflated. */
  readonly deltas: Uint8Array
  readonly codecs: Codecs
  readonly intake: ObjectIntake
  readonly work: Arena
  /** Told of every delta that has become an object, before its own deltas are looked at. */
  readonly onNamed: (row: number) => void
}

/**
 * Resolves the deltas of a pack that is in memory, one delta tree after the other. Trees are walked from their bases depth first, a
 * child's bytes right behind its parent's, so that each delta is applied once.
 */
export class TreeResolver {
  readonly #options: TreeResolverOptions
  readonly #header = new DeltaHeader()

  constructor(options: TreeResolverOptions) {
    this.#options = options
  }

  /**
   * Resolves everything under the whole object of this row. Returns how many bytes came out.
   *
   * @throws GitError `CORRUPT_PACK`, `LIMIT_EXCEEDED`; what the visitor throws
   */
  resolve(root: number): number {
    const { pack, entriesEnd, table, codecs, work } = this.#options
    const size = table.sizes[root]!
    const offset = table.offsets[root]!
    const dataAt = offset + table.dataAt[root]!
    work.ensure(HEADROOM + size)
    try {
      if (codecs.inflate.inflateInto(pack, dataAt, entriesEnd, work.bytes, HEADROOM, size) < 0)
        throw earlyEof()
    } catch (error) {
      throw inEntry(error, offset)
    }
    return this.resolveUnder(root)
  }

  /** Like {@link resolve}, for an object whose body is in the work arena already, behind {@link HEADROOM}. */
  resolveUnder(root: number): number {
    const { table, deltas, intake, work, onNamed } = this.#options
    const header = this.#header
    const type = table.types[root]! as ObjectType
    const rows: number[] = [root]
    const starts: number[] = [HEADROOM]
    const sizes: number[] = [table.sizes[root]!]
    const next: number[] = [table.firstChild[root]!]
    let depth = 0
    let produced = 0
    while (depth >= 0) {
      const child = next[depth]!
      if (child < 0) {
        depth--
        continue
      }
      const parentAt = starts[depth]!
      const parentSize = sizes[depth]!
      next[depth] = table.nextSibling[child]!
      const deltaAt = table.deltaAt[child]!
      const deltaEnd = deltaAt + table.sizes[child]!
      const at = parentAt + parentSize + HEADROOM
      let size: number
      try {
        header.parse(deltas, deltaAt, deltaEnd)
        size = header.resultSize
        if (header.baseSize !== parentSize) throw new GitError('CORRUPT_DELTA', 'delta base size mismatch')
        assertObjectSize(size, intake.maxObjectBytes)
        work.ensure(at + size)
        const { bytes } = work
        applyDelta(deltas, header.at, deltaEnd, bytes, parentAt, parentSize, bytes, at, size)
      } catch (error) {
        throw inEntry(error, table.offsets[child]!)
      }
      intake.take(child, type, work.bytes, at, size, table.ids, rows[depth]!, parentAt, parentSize)
      produced += size
      onNamed(child)
      const grandchild = table.firstChild[child]!
      if (grandchild < 0) continue
      if (next[depth]! < 0 && at + size > COMPACT_FROM) {
        work.bytes.copyWithin(parentAt, at, at + size)
        starts[depth] = parentAt
      } else {
        depth++
        starts[depth] = at
      }
      rows[depth] = child
      sizes[depth] = size
      next[depth] = grandchild
    }
    return produced
  }
}
