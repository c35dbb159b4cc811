import { Arena } from '../../bytes/arena.ts'
import type { Codecs } from '../../codec/ports.ts'
import { encodeHex } from '../../bytes/hex.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import type { ObjectType } from '../../object/object-type.ts'
import { encodeEntry } from '../encode-entry.ts'
import { EntryHeader, MAX_EXPANSION, OFS_DELTA, REF_DELTA } from '../entry-header.ts'
import { PACK_HEADER_LENGTH, parsePackHeader } from '../pack-header.ts'
import {
  assertObjectSize,
  baseOutOfBound,
  earlyEof,
  inEntry,
  junkAtEnd,
  unresolvedDeltas,
  wrongTrailer,
} from './entry-error.ts'
import { EntryTable } from './entry-table.ts'
import { HEADROOM, ObjectIntake, type ObjectIntakeOptions } from './object-intake.ts'
import { shareResolution, type SharedResolution } from './shared-resolution.ts'
import { TreeResolver } from './tree-resolver.ts'
import { WaitingDeltas } from './waiting-deltas.ts'

/** The shortest entry: one byte of header and an empty zlib stream. */
const MIN_ENTRY = 9
export interface ResidentIndexerOptions extends ObjectIntakeOptions {
  readonly codecs: Codecs
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
  readonly #pack: Uint8Array
  readonly #format: ObjectFormat
  readonly #codecs: Codecs
  readonly #intake: ObjectIntake
  readonly #declaredCount: number
  /** Where the entries end and the trailer begins. */
  readonly #entriesEnd: number
  readonly #table: EntryTable
  readonly #header = new EntryHeader()
  readonly #deltas = new Arena(1 << 16)
  readonly #work = new Arena(1 << 16)
  readonly #waiting: WaitingDeltas
  readonly #appended: Uint8Array[] = []
  #appendedBytes = 0
  #at = PACK_HEADER_LENGTH
  #nextRoot = 0
  #resolver: TreeResolver | undefined
  #resolvedCount = 0
  readonly #isSeen: boolean

  /** @throws GitError `CORRUPT_PACK`, `UNSUPPORTED` */
  constructor(pack: Uint8Array, options: ResidentIndexerOptions) {
    this.#pack = pack
    this.#format = options.format
    this.#codecs = options.codecs
    this.#intake = new ObjectIntake(options)
    this.#isSeen = options.visit !== undefined || options.reachability !== undefined
    this.#declaredCount = parsePackHeader(pack)
    this.#entriesEnd = pack.length - options.format.idLength
    if (this.#entriesEnd < PACK_HEADER_LENGTH) throw earlyEof()
    const most = Math.floor((this.#entriesEnd - PACK_HEADER_LENGTH) / MIN_ENTRY)
    this.#table = new EntryTable(Math.min(this.#declaredCount, most), options.format.idLength)
    this.#waiting = new WaitingDeltas(options.format.idLength, this.#table)
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

  /** How many deltas the pack has. */
  get deltaCount(): number {
    let count = 0
    for (let row = 0; row < this.#declaredCount; row++) {
      const type = (this.#pack[this.#table.offsets[row]!]! >> 4) & 7
      if (type === OFS_DELTA || type === REF_DELTA) count++
    }
    return count
  }

  /**
   * Reads entries for about `work` bytes of pack: hashes whole objects, keeps deltas inflated.
   *
   * @returns true when all entries and the trailer have been read and verified.
   * @throws GitError `CORRUPT_PACK`, `LIMIT_EXCEEDED`
   */
  scan(work: number): boolean {
    const table = this.#table
    const stop = this.#at + work
    while (table.count < this.#declaredCount) {
      if (this.#at >= stop) return false
      this.#scanEntry()
    }
    if (this.#at < this.#entriesEnd) throw junkAtEnd()
    this.#verifyTrailer()
    return true
  }

  #scanEntry(): void {
    const pack = this.#pack
    const table = this.#table
    const header = this.#header
    const start = this.#at
    const row = table.count
    try {
      if (!header.parse(pack, start, this.#entriesEnd, table.idLength)) throw earlyEof()
    } catch (error) {
      throw inEntry(error, start)
    }
    const { size, type } = header
    assertObjectSize(size, this.#intake.maxObjectBytes)
    if (size > MAX_EXPANSION * (this.#entriesEnd - header.dataAt))
      this.#refuseSize(header.dataAt, size, start)
    table.offsets[row] = start
    table.dataAt[row] = header.dataAt - start
    table.sizes[row] = size
    table.types[row] = type
    if (type === OFS_DELTA || type === REF_DELTA) {
      const at = this.#deltas.reserve(size)
      this.#at = header.dataAt + this.#inflate(header.dataAt, this.#deltas.bytes, at, size, start)
      table.deltaAt[row] = at
      if (type === OFS_DELTA) {
        const base = table.rowAt(start - header.baseDistance)
        if (base < 0) throw inEntry(baseOutOfBound(), start)
        table.addChild(base, row)
      } else {
        this.#waiting.add(pack, header.baseIdAt, row)
        this.#intake.reachability?.addRefDelta(row)
      }
    } else {
      this.#work.ensure(HEADROOM + size)
      this.#at = header.dataAt + this.#inflate(header.dataAt, this.#work.bytes, HEADROOM, size, start)
      this.#intake.take(row, type, this.#work.bytes, HEADROOM, size, table.ids, -1, 0, 0)
      this.#resolvedCount++
    }
    table.crcs[row] = this.#codecs.crc32.update(0, pack, start, this.#at)
    table.count++
  }

  #inflate(dataAt: number, out: Uint8Array, at: number, size: number, offset: number): number {
    let consumed: number
    try {
      consumed = this.#codecs.inflate.inflateInto(this.#pack, dataAt, this.#entriesEnd, out, at, size)
    } catch (error) {
      throw inEntry(error, offset)
    }
    if (consumed < 0) throw earlyEof()
    return consumed
  }

  /** Finds out what is wrong with an entry that claims more than all the rest of the pack can hold, without taking memory for it. */
  #refuseSize(dataAt: number, size: number, offset: number): never {
    const ignore = (): void => undefined
    try {
      this.#codecs.inflate.stream(ignore, size).push(this.#pack, dataAt, this.#entriesEnd)
    } catch (error) {
      throw inEntry(error, offset)
    }
    throw earlyEof()
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
   * Resolves deltas whose base is in the pack, for about `work` bytes of results.
   *
   * @returns true when no more can be resolved without bases from elsewhere.
   * @throws GitError `CORRUPT_PACK`
   */
  resolve(work: number): boolean {
    const table = this.#table
    const resolver = this.#treeResolver()
    let done = 0
    while (this.#nextRoot < table.count) {
      if (done > work) return false
      const row = this.#nextRoot++
      const type = this.#storedType(row)
      if (type === OFS_DELTA || type === REF_DELTA) continue
      this.#waiting.adopt(table.ids, row * table.idLength, row)
      if (table.firstChild[row]! >= 0) done += resolver.resolve(row)
    }
    return true
  }

  #treeResolver(): TreeResolver {
    const { bytes } = this.#deltas
    this.#resolver ??= new TreeResolver({
      pack: this.#pack,
      entriesEnd: this.#entriesEnd,
      table: this.#table,
      deltas: bytes,
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

  /**
   * The deltas, to be resolved by several threads, once all is scanned; `undefined` where somebody wants to see every object, or a delta
   * names its base by id.
   */
  share(): SharedResolution | undefined {
    if (this.#isSeen || !this.#waiting.isEmpty) return undefined
    return shareResolution(this.#pack, this.#entriesEnd, this.#table, this.#deltas.bytes, this.#intake)
  }

  /** Takes over what threads have resolved, which is everything. */
  adopt({ ids, types, sizes }: SharedResolution): void {
    const table = this.#table
    table.ids = ids
    table.types = types
    table.sizes = sizes
    this.#nextRoot = table.count
    this.#resolvedCount = table.count
  }

  #storedType(row: number): number {
    return (this.#pack[this.#table.offsets[row]!]! >> 4) & 7
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
      return { table, pieces: [this.#pack], checksum: new Uint8Array(this.#pack.subarray(this.#entriesEnd)) }
    }
    // Not `slice`: on node's Buffer that is a view, and the caller's pack would be written to.
    const head = new Uint8Array(this.#pack.subarray(0, PACK_HEADER_LENGTH))
    new DataView(head.buffer).setUint32(8, table.count)
    const pieces = [head, this.#pack.subarray(PACK_HEADER_LENGTH, this.#entriesEnd), ...this.#appended]
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
