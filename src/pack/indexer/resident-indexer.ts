import { Arena } from '../../bytes/arena.ts'
import type { Codecs } from '../../codec/ports.ts'
import { encodeHex } from '../../bytes/hex.ts'
import { smallInteger } from '../../bytes/small-integer.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import type { ObjectType } from '../../object/object-type.ts'
import { encodeEntry } from '../encode-entry.ts'
import { isWhole, OFS_DELTA, REF_DELTA } from '../entry-header.ts'
import { PACK_HEADER_LENGTH, parsePackHeader } from '../pack-header.ts'
import { walkDeltaTree } from './delta-tree.ts'
import {
  baseOutOfBound,
  earlyEof,
  inEntry,
  junkAtEnd,
  unresolvedDeltas,
  wrongTrailer,
} from './entry-error.ts'
import { EntryReader } from './entry-reader.ts'
import { EntryTable } from './entry-table.ts'
import { putLargestLast } from './largest-last.ts'
import { HEADROOM, ObjectIntake, type ObjectIntakeOptions } from './object-intake.ts'
import { sharedCopy } from './shared-memory.ts'
import type { SharedResolution, Unresolved } from './shared-resolution.ts'
import type { ScannedPart, Unscanned } from './shared-scan.ts'
import { TreeResolver } from './tree-resolver.ts'
import { WaitingDeltas } from './waiting-deltas.ts'

/** The shortest entry: one byte of header and an empty zlib stream. */
const MIN_ENTRY = 9
export interface ResidentIndexerOptions extends ObjectIntakeOptions {
  readonly codecs: Codecs
  /** Whether threads are going to help. Default: false. */
  readonly isShared?: boolean
}

/**
 * Indexes a pack that is wholly in memory: verifies every byte and finds every object's id.
 *
 * Use: `scan` until true, `resolve` until true, then for each of `missingBases` one `addBase`, then `finish`. Both loops
 * take an amount of work, so that the caller can let others run in between.
 *
 * Memory beyond the pack: all deltas inflated, side by side; one path of a delta tree; some 60 bytes an entry. Each delta is
 * applied once: the delta trees are walked from their bases depth first, a child's bytes right behind its parent's.
 */
export class ResidentIndexer {
  /** What the caller has, and what is read: a copy where threads need one. */
  readonly #given: Uint8Array
  readonly #pack: Uint8Array
  readonly #format: ObjectFormat
  readonly #codecs: Codecs
  readonly #intake: ObjectIntake
  readonly #declaredCount: number
  /** Where the entries end and the trailer begins. */
  readonly #entriesEnd: number
  readonly #table: EntryTable
  readonly #reader: EntryReader
  readonly #work = new Arena(1 << 16)
  readonly #waiting: WaitingDeltas
  readonly #appended: Uint8Array[] = []
  #appendedBytes = 0
  #nextRoot = 0
  #resolver: TreeResolver | undefined
  #deltaCount = 0
  #resolvedCount = 0
  /** Which trees `resolve` is for: all, those of objects that somebody wants to see, or the others. */
  #mine: 'all' | 'seen' | 'unseen' = 'all'
  #sharedDeltas: Uint8Array | undefined

  /** @throws GitError `CORRUPT_PACK`, `UNSUPPORTED` */
  constructor(pack: Uint8Array, options: ResidentIndexerOptions) {
    this.#given = pack
    this.#pack = options.isShared === true ? sharedCopy(pack) : pack
    this.#format = options.format
    this.#codecs = options.codecs
    this.#intake = new ObjectIntake(options)
    this.#declaredCount = parsePackHeader(pack)
    this.#entriesEnd = pack.length - options.format.idLength
    if (this.#entriesEnd < PACK_HEADER_LENGTH) throw earlyEof()
    const most = Math.floor((this.#entriesEnd - PACK_HEADER_LENGTH) / MIN_ENTRY)
    const { idLength } = options.format
    this.#table = new EntryTable(Math.min(this.#declaredCount, most), idLength, options.isShared)
    this.#waiting = new WaitingDeltas(idLength, this.#table)
    this.#reader = new EntryReader(PACK_HEADER_LENGTH, {
      pack: this.#pack,
      entriesEnd: this.#entriesEnd,
      table: this.#table,
      codecs: options.codecs,
      intake: this.#intake,
      work: this.#work,
      deltaBytes: Math.ceil(pack.length / 2),
    })
  }

  /** Objects the pack's header promises. */
  get declaredCount(): number {
    return this.#declaredCount
  }

  /** Objects read so far, completed bases included. */
  get objectCount(): number {
    return this.#table.count
  }

  /** Objects whose id is known so far. */
  get resolvedCount(): number {
    return this.#resolvedCount
  }

  /** Deltas read so far. */
  get deltaCount(): number {
    return this.#deltaCount
  }

  /** Where in the pack the next entry begins. */
  get at(): number {
    return this.#reader.at
  }

  /**
   * Reads entries for about `work` bytes of pack: hashes whole objects, keeps deltas inflated.
   *
   * @returns true when all entries and the trailer have been read and verified.
   * @throws GitError `CORRUPT_PACK`, `LIMIT_EXCEEDED`
   */
  scan(work: number): boolean {
    if (!this.scanTo(this.#entriesEnd, work)) return false
    if (this.#table.count < this.#declaredCount) throw earlyEof()
    if (this.at < this.#entriesEnd) throw junkAtEnd()
    this.#verifyTrailer()
    const { firstChild } = this.#table
    putLargestLast(this.#table, this.#table.count, (row) => firstChild[row]!)
    return true
  }

  /** Like {@link scan}, but only of the entries that begin in front of `end`. Returns true when all of them have been read. */
  scanTo(end: number, work: number): boolean {
    const table = this.#table
    const reader = this.#reader
    const stop = reader.at + work
    while (table.count < this.#declaredCount && reader.at < end) {
      if (reader.at >= stop) return false
      const offset = reader.at
      const type = reader.read()
      const { baseDistance, dataAt } = reader.header
      this.#link(table.count - 1, type, offset, baseDistance, dataAt)
    }
    return true
  }

  /** Puts a delta under its base, or notes by which id it waits for it. A whole object has its id. */
  #link(row: number, type: number, offset: number, baseDistance: number, dataAt: number): void {
    const table = this.#table
    if (type === OFS_DELTA) {
      const base = table.rowAt(offset - baseDistance)
      if (base < 0) throw inEntry(baseOutOfBound(), offset)
      table.addChild(base, row)
      this.#deltaCount++
    } else if (type === REF_DELTA) {
      this.#waiting.add(this.#pack, dataAt - table.idLength, row)
      this.#intake.reachability?.addRefDelta(row)
      this.#deltaCount++
    } else {
      this.#resolvedCount++
    }
  }

  /** What threads need to read entries together with this one. */
  get toScan(): Unscanned {
    const declaredCount = this.#table.offsets.length
    return { pack: this.#pack, entriesEnd: this.#entriesEnd, declaredCount, intake: this.#intake }
  }

  /**
   * Takes over the entries that a thread has read, if they begin where those end that were read here.
   *
   * @throws GitError `CORRUPT_PACK`; what the visitor throws
   */
  adoptScanned(part: ScannedPart): boolean {
    const table = this.#table
    const first = table.count
    if (part.start !== this.at || first + part.offsets.length > this.#declaredCount) return false
    table.append(part)
    const deltasAt = this.#reader.adopt(part.end, part.deltas)
    for (let row = first; row < table.count; row++) {
      const type = table.types[row]!
      const offset = smallInteger(table.offsets[row]!)
      if (isWhole(type)) this.#reader.show(row)
      else table.deltaAt[row]! += deltasAt
      this.#link(row, type, offset, part.baseDistances[row - first]!, offset + table.dataAt[row]!)
    }
    return true
  }

  #verifyTrailer(): void {
    const { idLength, hash } = this.#format
    const found = new Uint8Array(idLength)
    hash.digestRangeInto(this.#pack, 0, this.#entriesEnd, found, 0)
    for (let k = 0; k < idLength; k++) {
      if (found[k] !== this.#pack[this.#entriesEnd + k]) {
        throw wrongTrailer(hash.name)
      }
    }
  }

  /**
   * Resolves deltas whose base is in the pack, for about `work` bytes of results; none of those that are shared.
   *
   * @returns true when no more can be resolved without bases from elsewhere.
   * @throws GitError `CORRUPT_PACK`; what the visitor throws
   */
  resolve(work: number): boolean {
    return this.#resolveRoots(this.#table.count, work)
  }

  #resolveRoots(end: number, work: number): boolean {
    const { types, ids, idLength, firstChild } = this.#table
    let done = 0
    for (; this.#nextRoot < end; this.#nextRoot++) {
      if (done > work) return false
      const root = this.#nextRoot
      const type = types[root]!
      if (!isWhole(type) || !this.#isMine(type)) continue
      this.#waiting.adopt(ids, root * idLength, root)
      if (firstChild[root]! >= 0) done += this.#treeResolver().resolve(root)
    }
    return true
  }

  #isMine(type: ObjectType): boolean {
    return this.#mine === 'all' || (this.#mine === 'seen') === this.#intake.wants(type)
  }

  #treeResolver(): TreeResolver {
    this.#resolver ??= new TreeResolver({
      pack: this.#pack,
      entriesEnd: this.#entriesEnd,
      table: this.#table,
      deltas: this.#sharedDeltas ?? this.#reader.deltas.bytes,
      codecs: this.#codecs,
      intake: this.#intake,
      work: this.#work,
      onNamed: (row) => {
        this.#resolvedCount++
        this.#waiting.adopt(this.#table.ids, row * this.#table.idLength, row)
      },
    })
    return this.#resolver
  }

  /** Leaves the trees of objects that nobody wants to see to threads, once all is scanned; `resolve` does the others from now on. */
  leaveUnseen(): Unresolved {
    const { count, types, ids, idLength } = this.#table
    for (let row = 0; row < count; row++) {
      if (isWhole(types[row]!)) this.#waiting.adopt(ids, row * idLength, row)
    }
    this.#mine = 'seen'
    const { deltas } = this.#reader
    const shared = sharedCopy(deltas.bytes.subarray(0, deltas.length))
    deltas.shrink(0)
    this.#sharedDeltas = shared
    return {
      pack: this.#pack,
      entriesEnd: this.#entriesEnd,
      table: this.#table,
      deltas: shared,
      intake: this.#intake,
    }
  }

  /** Takes over what threads have resolved, which is all that was shared, or makes it the work of `resolve`. */
  adoptResolved({ roots }: SharedResolution): void {
    const table = this.#table
    const { ids, idLength } = table
    let awaited = 0
    for (let k = 0; k < roots.length && !this.#waiting.isEmpty; k++) {
      walkDeltaTree(table, roots[k]!, (row) => {
        if (this.#waiting.isWanted(ids.subarray(row * idLength, (row + 1) * idLength))) awaited++
      })
    }
    // A delta names one of these objects by its id: they have to be at hand for that.
    if (awaited > 0) {
      this.takeBack()
      return
    }
    for (const root of roots) {
      const type = table.types[root]! as ObjectType
      walkDeltaTree(table, root, (row, base) => {
        this.#intake.pass(row, type, base)
        this.#resolvedCount++
      })
    }
  }

  /** Makes everything that was shared the work of `resolve`. */
  takeBack(): void {
    this.#mine = 'unseen'
    this.#nextRoot = 0
  }

  /** Throws the error that `resolve` has met, or that of a shared object in front of it: the one that is met without threads. */
  failInOrder(error: unknown): never {
    const end = this.#nextRoot
    this.takeBack()
    this.#resolveRoots(end, Infinity)
    throw error
  }

  /** Ids of bases that deltas of this pack need and that it does not have (a thin pack). Raw copies. */
  missingBases(): Uint8Array[] {
    return this.#waiting.missing()
  }

  /**
   * Completes a thin pack: appends an object that is in the store, and resolves what waits for it. Does nothing when
   * nothing waits for it any more.
   */
  addBase(id: Uint8Array, type: ObjectType, body: Uint8Array): void {
    if (!this.#waiting.isWanted(id)) return
    const table = this.#table
    table.ensureRow()
    const row = table.count
    const entry = encodeEntry(type, body, this.#codecs.deflate)
    table.offsets[row] = this.#entriesEnd + this.#appendedBytes
    table.crcs[row] = this.#codecs.crc32.update(0, entry, 0, entry.length)
    this.#appended.push(entry)
    this.#appendedBytes += entry.length
    this.#work.ensure(HEADROOM + body.length)
    this.#work.bytes.set(body, HEADROOM)
    table.sizes[row] = body.length
    table.types[row] = type
    table.ids.set(id, row * table.idLength)
    this.#resolvedCount++
    table.count++
    this.#intake.reachability?.add(row, type, this.#work.bytes, HEADROOM, HEADROOM + body.length, -1, 0, 0)
    this.#waiting.adopt(table.ids, row * table.idLength, row)
    this.#treeResolver().resolveUnder(row)
  }

  /**
   * Ends the work: checks that every delta was resolved, and gives the pack as it is to be stored.
   *
   * @throws GitError `MISSING_BASE` when deltas are left whose base nobody has.
   */
  finish(): IndexedPack {
    const table = this.#table
    const unresolved = table.count - this.#resolvedCount
    if (unresolved > 0) {
      const [base] = this.missingBases()
      throw unresolvedDeltas(unresolved, base === undefined ? undefined : encodeHex(base))
    }
    const { idLength } = this.#format
    if (this.#appended.length === 0) {
      return { table, pieces: [this.#given], checksum: new Uint8Array(this.#pack.subarray(this.#entriesEnd)) }
    }
    // Not `slice`: on node's Buffer that is a view, and the caller's pack would be written to.
    const head = new Uint8Array(this.#pack.subarray(0, PACK_HEADER_LENGTH))
    new DataView(head.buffer).setUint32(8, table.count)
    const pieces = [head, this.#given.subarray(PACK_HEADER_LENGTH, this.#entriesEnd), ...this.#appended]
    const hash = this.#format.hash.create()
    for (const piece of pieces) hash.update(piece)
    const checksum = new Uint8Array(idLength)
    hash.digestInto(checksum, 0)
    return { table, pieces: [...pieces, checksum], checksum }
  }
}

/** A verified pack: its entries, and the bytes to store, which joined are the pack file. */
export interface IndexedPack {
  readonly table: EntryTable
  readonly pieces: readonly Uint8Array[]
  /** The raw trailer. */
  readonly checksum: Uint8Array
}
