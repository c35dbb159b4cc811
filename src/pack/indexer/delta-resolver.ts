import { Arena } from '../../bytes/arena.ts'
import type { Codecs } from '../../codec/ports.ts'
import { applyDelta } from '../../delta/apply-delta.ts'
import { DeltaHeader } from '../../delta/delta-header.ts'
import { GitError } from '../../errors.ts'
import type { ObjectType } from '../../object/object-type.ts'
import { EntryHeader } from '../entry-header.ts'
import { assertObjectSize, earlyEof, inEntry } from './entry-error.ts'
import { FileWindow, type EntryBounds, type RangeReader } from './file-window.ts'
import { HEADROOM, type ObjectIntake } from './object-intake.ts'
import type { ScannedPack } from './pack-scanner.ts'
import type { WindowedTable } from './windowed-table.ts'

/** How many entries ahead are looked at for what to read, beyond the last one that fits the window. */
const LOOK_AHEAD = 256
/** The part of the window that is for whole objects, of eight: deltas are smaller, and lie apart. */
const ROOTS_PART = 2
/** An entry that does not fit the window is inflated from pieces of this size. */
const PIECE = 1 << 18

export interface DeltaResolverOptions {
  readonly codecs: Codecs
  readonly intake: ObjectIntake
  /** Bytes for entries of the file, and for inflated objects. */
  readonly windowBytes: number
  readonly pathBytes: number
  /** Lets others run, now and then; its rejection ends the work. Given the bytes that came out since the last turn. */
  readonly turn: (bytes: number) => Promise<void>
  /** Bytes of results between two turns. */
  readonly turnBytes: number
}

/** The body of an object that is in no file. */
interface AddedBase {
  readonly row: number
  readonly body: Uint8Array
}

/**
 * The second pass of windowed indexing: resolves the deltas of a pack that is stored, reading ranges of it back.
 *
 * Delta trees are walked from their bases depth first, in the order of the pack. The objects from the base down to the one at hand lie
 * behind each other in one arena. When they become too many, all but the last are dropped; one that is needed again is derived again
 * from its base. Memory beyond `windowBytes` and `pathBytes`: an object together with its base, where that is more.
 */
export class DeltaResolver {
  readonly #file: RangeReader
  readonly #options: DeltaResolverOptions
  readonly #pack: ScannedPack
  readonly #table: WindowedTable
  readonly #intake: ObjectIntake
  /** Deltas that come next, and objects below which there are deltas. The latter are in the order of the file, so that they are kept apart. */
  readonly #deltas: FileWindow
  readonly #roots: FileWindow
  readonly #header = new EntryHeader()
  readonly #deltaHeader = new DeltaHeader()
  /** The delta at hand. */
  readonly #delta = new Arena(1 << 14)
  /** The objects on the path from the base to the one at hand. */
  readonly #path = new Arena(1 << 14)
  /** By depth: the row, where its body lies in the path (-1 once dropped), its size, and its next delta (-1 for none). */
  readonly #rows: number[] = []
  readonly #starts: number[] = []
  readonly #sizes: number[] = []
  readonly #next: number[] = []
  #nextRoot = 0
  #added: AddedBase | undefined
  #sinceTurn = 0
  /** Deltas that have become objects. */
  resolvedCount = 0

  constructor(file: RangeReader, pack: ScannedPack, options: DeltaResolverOptions) {
    this.#file = file
    this.#options = options
    this.#pack = pack
    this.#table = pack.table
    this.#intake = options.intake
    const entries: EntryBounds = {
      begin: (row) => this.#table.offsets[row]!,
      end: (row) => this.#entryEnd(row),
    }
    const forRoots = (options.windowBytes * ROOTS_PART) / 8
    this.#deltas = new FileWindow(file, entries, options.windowBytes - forRoots)
    this.#roots = new FileWindow(file, entries, forRoots)
  }

  /**
   * Resolves every delta whose base is in the pack.
   *
   * @throws GitError `CORRUPT_PACK`, `LIMIT_EXCEEDED`; what the visitor throws; what `turn` rejects with
   */
  async resolve(): Promise<void> {
    const table = this.#table
    const { waiting } = this.#pack
    while (this.#nextRoot < table.count) {
      const row = this.#nextRoot++
      if (table.isDelta(row)) continue
      waiting.adopt(table.ids, row * table.idLength, row)
      if (table.firstChild(row) >= 0) await this.#resolveTree(row)
    }
  }

  /** Resolves everything under a base that was added as the last row. */
  async resolveUnder(row: number, body: Uint8Array): Promise<void> {
    const table = this.#table
    this.#added = { row, body }
    this.#pack.waiting.adopt(table.ids, row * table.idLength, row)
    await this.#resolveTree(row)
    this.#added = undefined
  }

  async #resolveTree(root: number): Promise<void> {
    const { turn, turnBytes, pathBytes } = this.#options
    const table = this.#table
    const type = table.type(root) as ObjectType
    const rows = this.#rows
    const starts = this.#starts
    const sizes = this.#sizes
    const next = this.#next
    rows[0] = root
    next[0] = table.firstChild(root)
    starts[0] = -1
    let depth = 0
    while (depth >= 0) {
      const child = next[depth]!
      if (child < 0) {
        depth--
        continue
      }
      if (starts[depth]! < 0) await this.#derive(depth)
      next[depth] = table.next(child)
      const deltaSize = this.#tryInflate(child, this.#delta, 0)
      const at = this.#apply(child, deltaSize < 0 ? await this.#fetchDelta(child, depth) : deltaSize, depth)
      const size = this.#deltaHeader.resultSize
      table.setType(child, type)
      this.#intake.take(
        child,
        type,
        this.#path.bytes,
        at,
        size,
        table.ids,
        rows[depth]!,
        starts[depth]!,
        sizes[depth]!,
      )
      this.resolvedCount++
      this.#pack.waiting.adopt(table.ids, child * table.idLength, child)
      const grandchild = table.firstChild(child)
      if (grandchild >= 0) {
        depth++
        rows[depth] = child
        starts[depth] = at
        sizes[depth] = size
        next[depth] = grandchild
      }
      this.#sinceTurn += size
      if (this.#sinceTurn < turnBytes) continue
      this.#sinceTurn = 0
      await turn(size)
    }
    this.#path.shrink(pathBytes)
    this.#delta.shrink(pathBytes)
  }

  /** Makes the object at this depth again, from the base of the tree on. */
  async #derive(depth: number): Promise<void> {
    const starts = this.#starts
    const [root] = this.#rows
    if (root === undefined) return
    if (this.#added?.row === root) {
      const { body } = this.#added
      this.#makeRoom(HEADROOM + body.length)
      this.#path.bytes.set(body, HEADROOM)
      this.#sizes[0] = body.length
    } else {
      const size = this.#tryInflate(root, this.#path, HEADROOM)
      this.#sizes[0] = size < 0 ? await this.#fetchRoot(root) : size
    }
    starts[0] = HEADROOM
    for (let at = 1; at <= depth; at++) {
      const row = this.#rows[at]!
      const size = this.#tryInflate(row, this.#delta, 0)
      starts[at] = this.#apply(row, size < 0 ? await this.#fetchAgain(at, depth) : size, at - 1)
    }
  }

  /** Applies the delta at hand, that of `row`, to the object at `depth`. Returns where the result begins, right behind that. */
  #apply(row: number, deltaSize: number, depth: number): number {
    const header = this.#deltaHeader
    const delta = this.#delta.bytes
    try {
      header.parse(delta, 0, deltaSize)
      const { baseSize, resultSize } = header
      if (baseSize !== this.#sizes[depth]!) throw new GitError('CORRUPT_DELTA', 'delta base size mismatch')
      assertObjectSize(resultSize, this.#intake.maxObjectBytes)
      const at = this.#placeBehind(depth, resultSize)
      const path = this.#path.bytes
      applyDelta(delta, header.at, deltaSize, path, this.#starts[depth]!, baseSize, path, at, resultSize)
      return at
    } catch (error) {
      throw inEntry(error, this.#table.offsets[row]!)
    }
  }

  /** Finds room behind the object at `depth`, dropping those above it when there would be too many. */
  #placeBehind(depth: number, size: number): number {
    const starts = this.#starts
    const baseSize = this.#sizes[depth]!
    const at = starts[depth]! + baseSize + HEADROOM
    if (at + size <= this.#options.pathBytes || starts[depth] === HEADROOM) {
      this.#makeRoom(at + size)
      return at
    }
    this.#path.bytes.copyWithin(HEADROOM, starts[depth]!, starts[depth]! + baseSize)
    starts.fill(-1, 0, depth)
    starts[depth] = HEADROOM
    const moved = HEADROOM + baseSize + HEADROOM
    this.#makeRoom(moved + size)
    return moved
  }

  #makeRoom(capacity: number): void {
    this.#path.ensureWithin(capacity, this.#options.pathBytes)
  }

  /** Inflates an entry to `out[at, …)` and returns its size, or -1 when it is not in the window. */
  #tryInflate(row: number, out: Arena, at: number): number {
    const window = this.#windowOf(row)
    if (!window.tryEntry(row)) return -1
    const { bytes, at: start } = window
    const end = start + this.#entryEnd(row) - this.#table.offsets[row]!
    const header = this.#header
    try {
      if (!header.parse(bytes, start, end, this.#table.idLength)) throw earlyEof()
      const { size, dataAt } = header
      out.ensureWithin(at + size, this.#options.pathBytes)
      if (this.#options.codecs.inflate.inflateInto(bytes, dataAt, end, out.bytes, at, size) < 0)
        throw earlyEof()
      return size
    } catch (error) {
      throw inEntry(error, this.#table.offsets[row]!)
    }
  }

  #windowOf(row: number): FileWindow {
    return this.#table.isDelta(row) ? this.#deltas : this.#roots
  }

  #entryEnd(row: number): number {
    return row + 1 < this.#pack.storedCount ? this.#table.offsets[row + 1]! : this.#pack.entriesEnd
  }

  /** Reads an object that is not resident into the path, together with those that will be needed after it. */
  async #fetchRoot(row: number): Promise<number> {
    if (!this.#isSmall(row, this.#roots)) return this.#inflateInPieces(row, this.#path, HEADROOM)
    this.#roots.want(row)
    this.#wantRoots()
    await this.#roots.settle()
    return this.#tryInflate(row, this.#path, HEADROOM)
  }

  /** Reads a delta that is not resident, together with those that will be needed after it. */
  async #fetchDelta(row: number, depth: number): Promise<number> {
    if (!this.#isSmall(row, this.#deltas)) return this.#inflateInPieces(row, this.#delta, 0)
    this.#deltas.want(row)
    this.#wantDeltas(depth, this.#table.firstChild(row))
    await this.#deltas.settle()
    return this.#tryInflate(row, this.#delta, 0)
  }

  /** Reads the delta at a depth of the path once more, together with those below it. */
  async #fetchAgain(at: number, depth: number): Promise<number> {
    const row = this.#rows[at]!
    if (!this.#isSmall(row, this.#deltas)) return this.#inflateInPieces(row, this.#delta, 0)
    let hasRoom = true
    for (let below = at; below <= depth && hasRoom; below++) {
      const next = this.#rows[below]!
      if (this.#isSmall(next, this.#deltas)) hasRoom = this.#deltas.want(next)
    }
    if (hasRoom) this.#wantDeltas(depth, -1)
    await this.#deltas.settle()
    return this.#tryInflate(row, this.#delta, 0)
  }

  #isSmall(row: number, window: FileWindow): boolean {
    return this.#entryEnd(row) - this.#table.offsets[row]! <= window.maxEntry
  }

  /** Notes the deltas that come next in the order of the walk, beginning with `first` where that is one. */
  #wantDeltas(depth: number, first: number): void {
    const table = this.#table
    const stack: number[] = []
    for (let above = 0; above <= depth; above++) stack.push(this.#next[above]!)
    stack.push(first)
    let nextRoot = this.#nextRoot
    let idle = 0
    while (idle < LOOK_AHEAD) {
      const ahead = stack.pop()
      if (ahead === undefined) {
        nextRoot = this.#rootFrom(nextRoot)
        if (nextRoot >= this.#pack.storedCount) return
        stack.push(table.firstChild(nextRoot++))
      } else if (ahead >= 0) {
        const isSmall = this.#isSmall(ahead, this.#deltas)
        if (isSmall && !this.#deltas.want(ahead)) return
        idle = isSmall ? 0 : idle + 1
        stack.push(table.next(ahead), table.firstChild(ahead))
      }
    }
  }

  /** Notes the objects below which there are deltas, from the next one on. */
  #wantRoots(): void {
    const { storedCount } = this.#pack
    let idle = 0
    for (
      let root = this.#rootFrom(this.#nextRoot);
      root < storedCount && idle < LOOK_AHEAD;
      root = this.#rootFrom(root + 1)
    ) {
      const isSmall = this.#isSmall(root, this.#roots)
      if (isSmall && !this.#roots.want(root)) return
      idle = isSmall ? 0 : idle + 1
    }
  }

  /** The first row from this one on that is a whole object with deltas below it; behind the last row when there is none. */
  #rootFrom(row: number): number {
    const table = this.#table
    let root = row
    while (root < this.#pack.storedCount && (table.isDelta(root) || table.firstChild(root) < 0)) root++
    return root
  }

  /** Inflates an entry that is too large for the window. */
  async #inflateInPieces(row: number, out: Arena, at: number): Promise<number> {
    const begin = this.#table.offsets[row]!
    const end = this.#entryEnd(row)
    const header = this.#header
    const [head] = await this.#file.read([{ offset: begin, length: Math.min(64, end - begin) }])
    if (head === undefined || !header.parse(head, 0, head.length, this.#table.idLength)) throw earlyEof()
    const { size, dataAt } = header
    out.ensureWithin(at + size, this.#options.pathBytes)
    let produced = 0
    const stream = this.#options.codecs.inflate.stream((piece) => {
      out.bytes.set(piece, at + produced)
      produced += piece.length
    }, size)
    for (let offset = begin + dataAt; offset < end && !stream.done; offset += PIECE) {
      const [piece] = await this.#file.read([{ offset, length: Math.min(PIECE, end - offset) }])
      try {
        if (piece !== undefined) stream.push(piece)
      } catch (error) {
        throw inEntry(error, begin)
      }
    }
    if (!stream.done) throw earlyEof()
    return size
  }
}
