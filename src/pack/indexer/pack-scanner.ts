import { Arena } from '../../bytes/arena.ts'
import type { Codecs, Hash, InflateStream } from '../../codec/ports.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import { encodeObjectHeader } from '../../object/object-id.ts'
import { BLOB, type ObjectType } from '../../object/object-type.ts'
import { EntryHeader, OFS_DELTA, REF_DELTA, type EntryType } from '../entry-header.ts'
import { PACK_HEADER_LENGTH, parsePackHeader } from '../pack-header.ts'
import {
  assertObjectSize,
  baseOutOfBound,
  earlyEof,
  inEntry,
  junkAtEnd,
  wrongTrailer,
} from './entry-error.ts'
import { putLargestLast } from './largest-last.ts'
import { HEADROOM, type ObjectIntake } from './object-intake.ts'
import type { WaitingDeltas } from './waiting-deltas.ts'
import { WindowedTable } from './windowed-table.ts'

/** The least window that is of any use: a few entry headers, a trailer, and some data. */
export const MIN_SCAN_WINDOW = 4096

export interface PackScannerOptions {
  readonly format: ObjectFormat
  readonly codecs: Codecs
  readonly intake: ObjectIntake
  /** Bytes of the pack that are looked at together. Entries that do not fit are inflated as they come. */
  readonly windowBytes: number
  /** Blobs larger than this are hashed while they are inflated and never held; deltas larger than this are only checked. */
  readonly heldBytes: number
  /** Told the object count that the header claims, before anything is taken for it. May throw. */
  readonly onHeader?: (objectCount: number) => void
  /** Where the table of rows is made, once the object count is known. */
  readonly createWaiting: (table: WindowedTable) => WaitingDeltas
}

/** An entry that is inflated as its bytes come. */
interface EntryInFlow {
  readonly offset: number
  readonly type: EntryType
  readonly size: number
  readonly baseDistance: number
  readonly baseId: Uint8Array | undefined
  readonly stream: InflateStream
  /** Hashes a blob that is not held. */
  readonly hash: Hash | undefined
  crc: number
}

/**
 * The first pass of windowed indexing: reads a pack that arrives in chunks of any size, notes every entry, names every object that is
 * stored whole, and verifies the checksum. Nothing of the pack is kept.
 *
 * The last bytes that have come might be the trailer, so they are held back until more come.
 */
export class PackScanner {
  readonly #options: PackScannerOptions
  readonly #header = new EntryHeader()
  readonly #hash: Hash
  readonly #work = new Arena(1 << 14)
  readonly #window: Uint8Array
  /** Where the window begins in the pack. */
  #windowOffset = 0
  /** What of the window has come, was parsed, and was hashed. */
  #filled = 0
  #at = 0
  #hashed = 0
  /** How many bytes of an entry have to be there before it is tried again. */
  #needed = 1
  #flow: EntryInFlow | undefined
  #produced = 0
  #table: WindowedTable | undefined
  #waiting: WaitingDeltas | undefined
  #declared = 0
  #ended = false
  /** How many deltas the pack has. */
  deltaCount = 0

  constructor(options: PackScannerOptions) {
    this.#options = options
    this.#hash = options.format.hash.create()
    this.#window = new Uint8Array(Math.max(options.windowBytes, MIN_SCAN_WINDOW))
  }

  /** Objects the pack's header promises; 0 before it was read. */
  get declaredCount(): number {
    return this.#declared
  }

  /** Objects read so far. */
  get objectCount(): number {
    return this.#table?.count ?? 0
  }

  /**
   * Takes the next bytes of the pack; they are of no interest when this returns.
   *
   * @throws GitError `CORRUPT_PACK`, `UNSUPPORTED`, `LIMIT_EXCEEDED`; what the visitor throws
   */
  push(chunk: Uint8Array): void {
    for (let from = 0; from < chunk.length;) {
      if (this.#filled === this.#window.length) this.#shift()
      const length = Math.min(chunk.length - from, this.#window.length - this.#filled)
      this.#window.set(chunk.subarray(from, from + length), this.#filled)
      this.#filled += length
      from += length
      if (this.#filled - this.#at >= this.#needed || this.#filled === this.#window.length) this.#parse()
    }
  }

  /**
   * Ends the pass, when all bytes were pushed.
   *
   * @throws GitError `CORRUPT_PACK` and what `push` throws
   */
  end(): ScannedPack {
    this.#ended = true
    this.#parse()
    const table = this.#table
    const waiting = this.#waiting
    const { idLength, hash } = this.#options.format
    const entriesEnd = this.#windowOffset + this.#filled - idLength
    if (table === undefined || waiting === undefined || entriesEnd < PACK_HEADER_LENGTH) {
      parsePackHeader(this.#window.subarray(0, this.#filled))
      throw earlyEof()
    }
    const checksum = this.#window.slice(this.#filled - idLength, this.#filled)
    const found = new Uint8Array(idLength)
    this.#hash.digestInto(found, 0)
    if (found.some((byte, k) => byte !== checksum[k])) throw wrongTrailer(hash.name)
    putLargestLast(table, table.count, (row) => table.firstChild(row))
    return { table, waiting, entriesEnd, checksum, storedCount: table.count, deltaCount: this.deltaCount }
  }

  /** Moves what was not parsed yet to the front of the window. */
  #shift(): void {
    const at = this.#at
    this.#window.copyWithin(0, at, this.#filled)
    this.#windowOffset += at
    this.#filled -= at
    this.#hashed -= at
    this.#at = 0
  }

  /** Parses as far as the bytes go that are surely in front of the trailer. */
  #parse(): void {
    if (this.#table === undefined && !this.#parseHeader()) return
    const end = this.#filled - this.#options.format.idLength
    if (end > this.#hashed) {
      this.#hash.update(this.#window, this.#hashed, end)
      this.#hashed = end
    }
    this.#needed = 1
    while (end >= this.#at) {
      if (this.#flow !== undefined) {
        if (!this.#continueFlow(this.#flow, end)) return
      } else if (this.objectCount === this.#declared) {
        if (this.#at < end) throw junkAtEnd()
        return
      } else if (!this.#parseEntry(end)) {
        return
      }
    }
    if (this.#ended && this.objectCount < this.#declared) throw earlyEof()
  }

  #parseHeader(): boolean {
    if (this.#filled < PACK_HEADER_LENGTH) return false
    const { format, createWaiting, onHeader } = this.#options
    this.#declared = parsePackHeader(this.#window)
    onHeader?.(this.#declared)
    this.#table = new WindowedTable(this.#declared, format.idLength)
    this.#waiting = createWaiting(this.#table)
    this.#at = PACK_HEADER_LENGTH
    return true
  }

  /** Reads the entry at hand if all of it is there. Returns false when more bytes have to come. */
  #parseEntry(end: number): boolean {
    const { format, codecs, intake, heldBytes } = this.#options
    const window = this.#window
    const header = this.#header
    const start = this.#at
    const offset = this.#windowOffset + start
    try {
      if (!header.parse(window, start, end, format.idLength)) return this.#wait()
    } catch (error) {
      throw inEntry(error, offset)
    }
    const { type, size, dataAt } = header
    assertObjectSize(size, intake.maxObjectBytes)
    if (size > heldBytes) {
      this.#beginFlow(start)
      return true
    }
    this.#work.ensureWithin(HEADROOM + size, HEADROOM + heldBytes)
    let consumed: number
    try {
      consumed = codecs.inflate.inflateInto(window, dataAt, end, this.#work.bytes, HEADROOM, size)
    } catch (error) {
      throw inEntry(error, offset)
    }
    if (consumed < 0) {
      const isStuck = start === 0 && this.#filled === window.length
      if (!isStuck || this.#ended) return this.#wait()
      this.#beginFlow(start)
      return true
    }
    this.#at = dataAt + consumed
    const baseId = type === REF_DELTA ? window.subarray(header.baseIdAt, dataAt) : undefined
    const crc = codecs.crc32.update(0, window, start, this.#at)
    this.#addRow({ offset, type, size, baseDistance: header.baseDistance, baseId, crc })
    return true
  }

  /** More bytes have to come, and enough of them that trying again is worth it. */
  #wait(): false {
    if (this.#ended) throw earlyEof()
    this.#needed = 2 * (this.#filled - this.#at)
    return false
  }

  /** Begins an entry that is inflated as its bytes come. Its header has just been parsed. */
  #beginFlow(start: number): void {
    const { codecs, intake, heldBytes } = this.#options
    const { type, size, dataAt, baseDistance, baseIdAt } = this.#header
    const isDelta = type === OFS_DELTA || type === REF_DELTA
    const hash = type === BLOB && size > heldBytes ? intake.hash.create() : undefined
    hash?.update(encodeObjectHeader(BLOB, size))
    const work = this.#work
    if (hash === undefined && !isDelta) work.ensureWithin(HEADROOM + size, HEADROOM + heldBytes)
    this.#produced = 0
    const stream = codecs.inflate.stream((piece) => {
      if (hash !== undefined) hash.update(piece)
      else if (!isDelta) work.bytes.set(piece, HEADROOM + this.#produced)
      this.#produced += piece.length
    }, size)
    this.#flow = {
      offset: this.#windowOffset + start,
      type,
      size,
      baseDistance,
      baseId: type === REF_DELTA ? this.#window.slice(baseIdAt, dataAt) : undefined,
      stream,
      hash,
      crc: codecs.crc32.update(0, this.#window, start, dataAt),
    }
    this.#at = dataAt
  }

  #continueFlow(flow: EntryInFlow, end: number): boolean {
    let consumed: number
    try {
      consumed = flow.stream.push(this.#window, this.#at, end)
    } catch (error) {
      throw inEntry(error, flow.offset)
    }
    flow.crc = this.#options.codecs.crc32.update(flow.crc, this.#window, this.#at, this.#at + consumed)
    this.#at += consumed
    if (!flow.stream.done) {
      if (this.#ended) throw earlyEof()
      return false
    }
    this.#flow = undefined
    this.#addRow(flow)
    this.#work.shrink(HEADROOM + this.#options.heldBytes)
    return true
  }

  #addRow(entry: {
    readonly offset: number
    readonly type: EntryType
    readonly size: number
    readonly baseDistance: number
    readonly baseId: Uint8Array | undefined
    readonly crc: number
    readonly hash?: Hash | undefined
  }): void {
    const { offset, type, size, baseDistance, baseId, crc, hash } = entry
    const { intake } = this.#options
    const table = this.#table!
    table.ensureRow(this.#declared)
    const row = table.count
    table.offsets[row] = offset
    table.crcs[row] = crc
    table.setStoredType(row, type)
    if (type === OFS_DELTA) {
      const base = table.rowAt(offset - baseDistance)
      if (base < 0) throw inEntry(baseOutOfBound(), offset)
      table.addChild(base, row)
      this.deltaCount++
    } else if (baseId !== undefined) {
      this.#waiting?.add(baseId, 0, row)
      intake.reachability?.addRefDelta(row)
      this.deltaCount++
    } else if (hash !== undefined) {
      hash.digestInto(table.ids, row * table.idLength)
      intake.reachability?.add(row, type, NOTHING, 0, 0, -1, 0, 0)
    } else {
      intake.take(row, type as ObjectType, this.#work.bytes, HEADROOM, size, table.ids, -1, 0, 0)
    }
    table.count++
  }
}

/** What the first pass finds out. */
export interface ScannedPack {
  readonly table: WindowedTable
  readonly waiting: WaitingDeltas
  /** Where entries end and the trailer begins. */
  readonly entriesEnd: number
  /** The raw trailer, verified. */
  readonly checksum: Uint8Array
  /** Entries of the pack as it came, before bases are added. */
  readonly storedCount: number
  readonly deltaCount: number
}

const NOTHING: Uint8Array = /* @__PURE__ */ new Uint8Array(0)
