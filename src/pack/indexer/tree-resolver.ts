import type { Arena } from '../../bytes/arena.ts'
import { smallInteger } from '../../bytes/small-integer.ts'
import type { Codecs } from '../../codec/ports.ts'
import { applyDelta } from '../../delta/apply-delta.ts'
import { applyDeltaInPieces } from '../../delta/apply-in-pieces.ts'
import { DeltaHeader } from '../../delta/delta-header.ts'
import { GitError } from '../../errors.ts'
import type { ObjectType } from '../../object/object-type.ts'
import { assertObjectSize, inEntry } from './entry-error.ts'
import { BlockNotes } from './block-notes.ts'
import { createInflatedPack, inflateEntry, type InflatedPack } from './inflate-entry.ts'
import { HEADROOM, objectHeaderLength, type ObjectIntake } from './object-intake.ts'

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
  readonly #inflated: InflatedPack
  readonly #header = new DeltaHeader()
  /** Of the objects in the work arena, where the hash notes anything. */
  readonly #notes: BlockNotes | undefined

  constructor(options: TreeResolverOptions) {
    this.#options = options
    this.#notes = options.intake.hash.digestNotedInto === undefined ? undefined : new BlockNotes()
    this.#inflated = createInflatedPack(options.pack, options.entriesEnd, options.codecs.inflate)
  }

  /**
   * Resolves everything under the whole object of this row. Returns how many bytes came out.
   *
   * @throws GitError `CORRUPT_PACK`, `LIMIT_EXCEEDED`; what the visitor throws
   */
  resolve(root: number): number {
    const { table, work } = this.#options
    const size = table.sizes[root]!
    const offset = smallInteger(table.offsets[root]!)
    work.ensure(HEADROOM + size)
    inflateEntry(this.#inflated, offset, offset + table.dataAt[root]!, work.bytes, HEADROOM, size)
    return this.resolveUnder(root)
  }

  /** Like {@link resolve}, for an object whose body is in the work arena already, behind {@link HEADROOM}. */
  resolveUnder(root: number): number {
    const { table, intake, work, onNamed } = this.#options
    const { largeFrom } = this.#inflated
    const type = table.types[root]! as ObjectType
    const rows: number[] = [root]
    const starts: number[] = [HEADROOM]
    const sizes: number[] = [table.sizes[root]!]
    const next: number[] = [table.firstChild[root]!]
    const notes = this.#notes
    notes?.clear(HEADROOM - objectHeaderLength(type, sizes[0]!), HEADROOM + sizes[0]!)
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
      const at = parentAt + parentSize + HEADROOM
      const size = this.#parse(child, parentSize)
      const isHeld = size < largeFrom || table.firstChild[child]! >= 0 || intake.wants(type)
      if (isHeld) {
        this.#apply(child, parentAt, parentSize, at)
        if (notes !== undefined) this.#carryNotes(notes, child, type, parentAt, parentSize, at)
        intake.take(child, type, work.bytes, at, size, table.ids, rows[depth]!, parentAt, parentSize, notes)
        notes?.carryBack()
      } else {
        this.#nameInPieces(child, type, rows[depth]!, parentAt, parentSize)
      }
      produced += size
      onNamed(child)
      const grandchild = table.firstChild[child]!
      if (grandchild < 0) continue
      // A delta that had waited for the id of this one.
      if (!isHeld) {
        this.#apply(child, parentAt, parentSize, at)
        if (notes !== undefined) this.#carryNotes(notes, child, type, parentAt, parentSize, at)
      }
      if (next[depth]! < 0 && at + size > COMPACT_FROM) {
        work.bytes.copyWithin(parentAt, at, at + size)
        const header = objectHeaderLength(type, size)
        notes?.move(at - header, parentAt - header, size + header)
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

  /** Reads the header of a delta, for what comes next to make use of. Returns the size of its result. */
  #parse(child: number, parentSize: number): number {
    const { table, deltas, intake } = this.#options
    const header = this.#header
    const at = smallInteger(table.deltaAt[child]!)
    try {
      header.parse(deltas, at, at + table.sizes[child]!)
      if (header.baseSize !== parentSize) throw new GitError('CORRUPT_DELTA', 'delta base size mismatch')
      assertObjectSize(header.resultSize, intake.maxObjectBytes)
    } catch (error) {
      throw inEntry(error, table.offsets[child]!)
    }
    return header.resultSize
  }

  /** Applies the delta whose header was read, to an object of the work arena. */
  #apply(child: number, parentAt: number, parentSize: number, at: number): void {
    const { table, deltas, work } = this.#options
    const { at: from, resultSize } = this.#header
    const end = smallInteger(table.deltaAt[child]!) + table.sizes[child]!
    work.ensure(at + resultSize)
    const { bytes } = work
    try {
      applyDelta(deltas, from, end, bytes, parentAt, parentSize, bytes, at, resultSize)
    } catch (error) {
      throw inEntry(error, table.offsets[child]!)
    }
  }

  /** Notes of the result of the delta whose header was read what is noted of the blocks that it copies. */
  #carryNotes(
    notes: BlockNotes,
    child: number,
    type: ObjectType,
    parentAt: number,
    parentSize: number,
    at: number,
  ): void {
    const { table, deltas } = this.#options
    const { at: from, resultSize } = this.#header
    const end = smallInteger(table.deltaAt[child]!) + table.sizes[child]!
    const baseHeader = objectHeaderLength(type, parentSize)
    const header = objectHeaderLength(type, resultSize)
    notes.clear(at - header, at + resultSize)
    notes.carryOver(deltas, from, end, parentAt - baseHeader, baseHeader, at - header, header)
  }

  /** Names the result of the delta whose header was read without making it: nobody wants to see it, and nothing is based on it. */
  #nameInPieces(child: number, type: ObjectType, parent: number, parentAt: number, parentSize: number): void {
    const { table, deltas, work, intake } = this.#options
    const { at: from, resultSize } = this.#header
    const end = smallInteger(table.deltaAt[child]!) + table.sizes[child]!
    const hash = intake.begin(type, resultSize)
    try {
      applyDeltaInPieces(deltas, from, end, work.bytes, parentAt, parentSize, resultSize, (piece) => {
        hash.update(piece)
      })
    } catch (error) {
      throw inEntry(error, table.offsets[child]!)
    }
    hash.digestInto(table.ids, child * intake.hash.length)
    intake.pass(child, type, parent)
  }
}
