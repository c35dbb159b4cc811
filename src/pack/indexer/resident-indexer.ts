import { Arena } from '../../bytes/arena.ts'
import type { Codecs, HashAlgorithm } from '../../codec/ports.ts'
import { applyDelta } from '../../delta/apply-delta.ts'
import { DeltaHeader } from '../../delta/delta-header.ts'
import { encodeHex } from '../../bytes/hex.ts'
import { GitError, isGitError } from '../../errors.ts'
import { IdTable } from '../../object/id-table.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import { encodeObjectHeader } from '../../object/object-id.ts'
import type { ObjectType } from '../../object/object-type.ts'
import {
  EntryHeader,
  OFS_DELTA,
  REF_DELTA,
  encodeEntryHeader,
  MAX_ENTRY_HEADER,
  MAX_EXPANSION,
} from '../entry-header.ts'
import { PACK_HEADER_LENGTH, parsePackHeader } from '../pack-header.ts'
import type { ReachabilityBuilder } from '../reachability/reachability-builder.ts'
import { EntryTable } from './entry-table.ts'

/** Room in front of every inflated object, so that its header can be put there and both be hashed as one range. */
const HEADROOM = 32
/** The shortest entry: one byte of header and an empty zlib stream. */
const MIN_ENTRY = 9
/** From here on the live path of a delta tree is kept short by moving an only child down over its parent. */
const COMPACT_FROM = 8 << 20

/** What one array holds on every runtime. */
const DEFAULT_MAX_OBJECT_BYTES = 0x7fffffff - HEADROOM

/** Sees every object of a pack, inflated, once, with its raw id. Both arrays are only valid during the call. */
export type ObjectVisitor = (type: ObjectType, body: Uint8Array, id: Uint8Array) => void

export interface ResidentIndexerOptions {
  readonly format: ObjectFormat
  readonly codecs: Codecs
  readonly visit?: ObjectVisitor
  /** Is told of every object, so that what points at what is written down while trees are inflated anyway. */
  readonly reachability?: ReachabilityBuilder
  /** The largest inflated object or delta that is accepted, in bytes. Default: 2 GiB. */
  readonly maxObjectBytes?: number
  /** Names the objects instead of the format's own hash: the same digests, with collision detection. */
  readonly objectHash?: HashAlgorithm
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
  readonly #objectHash: HashAlgorithm
  readonly #codecs: Codecs
  readonly #visit: ObjectVisitor | undefined
  readonly #reachability: ReachabilityBuilder | undefined
  readonly #maxObjectBytes: number
  readonly #declaredCount: number
  /** Where the entries end and the trailer begins. */
  readonly #entriesEnd: number
  readonly #table: EntryTable
  readonly #header = new EntryHeader()
  readonly #deltaHeader = new DeltaHeader()
  readonly #deltas = new Arena(1 << 16)
  readonly #work = new Arena(1 << 16)
  /** Ids that ref-deltas name as their base, with the list of rows that wait for each (by ordinal, -1 for none). */
  readonly #bases: IdTable
  readonly #waiting: number[] = []
  readonly #appended: Uint8Array[] = []
  #appendedBytes = 0
  #at = PACK_HEADER_LENGTH
  #nextRoot = 0
  #resolvedCount = 0

  /** @throws GitError `CORRUPT_PACK`, `UNSUPPORTED` */
  constructor(pack: Uint8Array, options: ResidentIndexerOptions) {
    this.#pack = pack
    this.#format = options.format
    this.#objectHash = options.objectHash ?? options.format.hash
    this.#codecs = options.codecs
    this.#visit = options.visit
    this.#reachability = options.reachability
    this.#maxObjectBytes = options.maxObjectBytes ?? DEFAULT_MAX_OBJECT_BYTES
    this.#declaredCount = parsePackHeader(pack)
    this.#entriesEnd = pack.length - options.format.idLength
    if (this.#entriesEnd < PACK_HEADER_LENGTH + MIN_ENTRY * this.#declaredCount) throw earlyEof()
    this.#table = new EntryTable(this.#declaredCount, options.format.idLength)
    this.#bases = new IdTable(options.format.idLength)
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
    if (this.#at < this.#entriesEnd) throw new GitError('CORRUPT_PACK', 'pack has junk at the end')
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
    this.#assertSize(size)
    if (size > MAX_EXPANSION * (this.#entriesEnd - header.dataAt)) throw earlyEof()
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
        if (base < 0) throw inEntry(new GitError('CORRUPT_PACK', 'delta base offset is out of bound'), start)
        table.addChild(base, row)
      } else {
        this.#waitFor(header.baseIdAt, row)
        this.#reachability?.addRefDelta(row)
      }
    } else {
      this.#work.ensure(HEADROOM + size)
      this.#at = header.dataAt + this.#inflate(header.dataAt, this.#work.bytes, HEADROOM, size, start)
      this.#settleRow(row, type, HEADROOM, size, -1, 0, 0)
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

  #waitFor(baseIdAt: number, row: number): void {
    const ordinal = this.#bases.add(this.#pack, baseIdAt)
    this.#table.nextSibling[row] = this.#waiting[ordinal] ?? -1
    this.#waiting[ordinal] = row
  }

  #verifyTrailer(): void {
    const { idLength, hash } = this.#format
    const found = new Uint8Array(idLength)
    hash.digestRangeInto(this.#pack, 0, this.#entriesEnd, found, 0)
    for (let k = 0; k < idLength; k++) {
      if (found[k] !== this.#pack[this.#entriesEnd + k]) {
        throw new GitError('CORRUPT_PACK', `pack is corrupted (${this.#format.name.toUpperCase()} mismatch)`)
      }
    }
  }

  /** Names the object whose body is at `work[at, at + size)`, and shows it to those who want to see it. */
  #settleRow(
    row: number,
    type: number,
    at: number,
    size: number,
    base: number,
    baseAt: number,
    baseSize: number,
  ): void {
    const table = this.#table
    const bytes = this.#work.bytes
    const headerAt = writeObjectHeader(type as ObjectType, size, bytes, at)
    this.#objectHash.digestRangeInto(bytes, headerAt, at + size, table.ids, row * table.idLength)
    table.types[row] = type
    table.sizes[row] = size
    table.resolved[row] = 1
    this.#resolvedCount++
    if (this.#visit !== undefined) this.#show(row, at)
    this.#reachability?.add(row, type, bytes, at, at + size, base, baseAt, baseAt + baseSize)
  }

  #show(row: number, at: number): void {
    const { types, sizes, ids, idLength } = this.#table
    const body = this.#work.bytes.subarray(at, at + sizes[row]!)
    this.#visit?.(types[row]! as ObjectType, body, ids.subarray(row * idLength, (row + 1) * idLength))
  }

  /**
   * Resolves deltas whose base is in the pack, for about `work` bytes of results.
   *
   * @returns true when no more can be resolved without bases from elsewhere.
   * @throws GitError `CORRUPT_PACK`
   */
  resolve(work: number): boolean {
    const table = this.#table
    let done = 0
    while (this.#nextRoot < table.count) {
      if (done > work) return false
      const row = this.#nextRoot++
      const type = this.#storedType(row)
      if (type === OFS_DELTA || type === REF_DELTA) continue
      this.#adoptWaiting(row)
      if (table.firstChild[row]! < 0) continue
      const size = table.sizes[row]!
      this.#work.ensure(HEADROOM + size)
      const offset = table.offsets[row]!
      this.#inflate(offset + table.dataAt[row]!, this.#work.bytes, HEADROOM, size, offset)
      done += this.#resolveTree(row, HEADROOM)
    }
    return true
  }

  #storedType(row: number): number {
    return (this.#pack[this.#table.offsets[row]!]! >> 4) & 7
  }

  /** Puts the ref-deltas that wait for this row's id under it. */
  #adoptWaiting(row: number): void {
    if (this.#bases.size === 0) return
    const table = this.#table
    const ordinal = this.#bases.find(table.ids, row * table.idLength)
    if (ordinal < 0) return
    for (let waiting = this.#waiting[ordinal]!; waiting >= 0;) {
      const next = table.nextSibling[waiting]!
      table.addChild(row, waiting)
      waiting = next
    }
    this.#waiting[ordinal] = -1
  }

  /** Resolves everything under `root`, whose body is at `work[start, …)`. Returns how many bytes came out. */
  #resolveTree(root: number, start: number): number {
    const table = this.#table
    const header = this.#deltaHeader
    const type = table.types[root]!
    const rows: number[] = [root]
    const starts: number[] = [start]
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
      const deltas = this.#deltas.bytes
      const deltaAt = table.deltaAt[child]!
      const deltaEnd = deltaAt + table.sizes[child]!
      const at = parentAt + parentSize + HEADROOM
      let size: number
      try {
        header.parse(deltas, deltaAt, deltaEnd)
        size = header.resultSize
        if (header.baseSize !== parentSize) throw new GitError('CORRUPT_DELTA', 'delta base size mismatch')
        this.#assertSize(size)
        this.#work.ensure(at + size)
        const work = this.#work.bytes
        applyDelta(deltas, header.at, deltaEnd, work, parentAt, parentSize, work, at, size)
      } catch (error) {
        throw inEntry(error, table.offsets[child]!)
      }
      this.#settleRow(child, type, at, size, rows[depth]!, parentAt, parentSize)
      produced += size
      this.#adoptWaiting(child)
      const grandchild = table.firstChild[child]!
      if (grandchild < 0) continue
      if (next[depth]! < 0 && at + size > COMPACT_FROM) {
        this.#work.bytes.copyWithin(parentAt, at, at + size)
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

  #assertSize(size: number): void {
    if (size > this.#maxObjectBytes) {
      throw new GitError(
        'LIMIT_EXCEEDED',
        `object of ${size} bytes exceeds the maximum of ${this.#maxObjectBytes}`,
        {
          details: { limit: 'maxObjectBytes' },
        },
      )
    }
  }

  /** Ids of bases that deltas of this pack need and that it does not have (a thin pack). Raw copies. */
  missingBases(): Uint8Array[] {
    const missing: Uint8Array[] = []
    for (let ordinal = 0; ordinal < this.#bases.size; ordinal++) {
      if (this.#waiting[ordinal]! >= 0) missing.push(this.#bases.id(ordinal))
    }
    return missing
  }

  /**
   * Completes a thin pack: appends an object that is in the store, and resolves what waits for it. Does nothing when
   * nothing waits for it any more.
   */
  addBase(id: Uint8Array, type: ObjectType, body: Uint8Array): void {
    const ordinal = this.#bases.find(id)
    if (ordinal < 0 || this.#waiting[ordinal]! < 0) return
    const table = this.#table
    table.grow(1)
    const row = table.count
    const entry = this.#encodeEntry(type, body)
    table.offsets[row] = this.#entriesEnd + this.#appendedBytes
    table.crcs[row] = this.#codecs.crc32.update(0, entry, 0, entry.length)
    this.#appended.push(entry)
    this.#appendedBytes += entry.length
    this.#work.ensure(HEADROOM + body.length)
    this.#work.bytes.set(body, HEADROOM)
    table.sizes[row] = body.length
    table.types[row] = type
    table.resolved[row] = 1
    table.ids.set(id, row * table.idLength)
    this.#resolvedCount++
    table.count++
    this.#reachability?.add(row, type, this.#work.bytes, HEADROOM, HEADROOM + body.length, -1, 0, 0)
    this.#adoptWaiting(row)
    this.#resolveTree(row, HEADROOM)
  }

  #encodeEntry(type: ObjectType, body: Uint8Array): Uint8Array {
    const deflated = this.#codecs.deflate.deflate(body)
    const entry = new Uint8Array(MAX_ENTRY_HEADER + deflated.length)
    const dataAt = encodeEntryHeader(type, body.length, entry, 0)
    entry.set(deflated, dataAt)
    return entry.subarray(0, dataAt + deflated.length)
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
      throw new GitError(
        'MISSING_BASE',
        `pack has ${unresolved} unresolved delta${unresolved === 1 ? '' : 's'}`,
        {
          details: { unresolved, base: base === undefined ? undefined : encodeHex(base) },
        },
      )
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

/** Writes `"<type> <size>\0"` so that it ends at `end`; returns where it begins. */
function writeObjectHeader(type: ObjectType, size: number, bytes: Uint8Array, end: number): number {
  let at = end
  bytes[--at] = 0
  let rest = size
  do {
    bytes[--at] = 48 + (rest % 10)
    rest = Math.floor(rest / 10)
  } while (rest > 0)
  const word = TYPE_WORDS[type]!
  at -= word.length
  for (let k = 0; k < word.length; k++) bytes[at + k] = word[k]!
  return at
}

/** `"<type> "` by type number. */
const TYPE_WORDS: readonly Uint8Array[] = /* @__PURE__ */ [1, 1, 2, 3, 4].map((type) => {
  const header = encodeObjectHeader(type as ObjectType, 0)
  return header.subarray(0, header.length - 2)
})

function earlyEof(): GitError {
  return new GitError('CORRUPT_PACK', 'early EOF')
}

function inEntry(error: unknown, offset: number): unknown {
  if (!isGitError(error) || error.code === 'LIMIT_EXCEEDED' || error.message === 'early EOF') return error
  return new GitError('CORRUPT_PACK', `pack has bad object at offset ${offset}: ${error.message}`, {
    details: { offset },
    cause: error,
  })
}
