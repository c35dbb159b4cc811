import { Arena } from '../../bytes/arena.ts'
import { smallInteger } from '../../bytes/small-integer.ts'
import type { Codecs } from '../../codec/ports.ts'
import type { ObjectType } from '../../object/object-type.ts'
import { EntryHeader, isWhole, MAX_EXPANSION, type EntryType } from '../entry-header.ts'
import { assertObjectSize, earlyEof, inEntry } from './entry-error.ts'
import type { EntryTable } from './entry-table.ts'
import { createInflatedPack, inflateEntry, inflateInPieces, type InflatedPack } from './inflate-entry.ts'
import { HEADROOM, type ObjectIntake } from './object-intake.ts'

const LEAST_DELTA_BYTES = 1 << 12

export interface EntryReaderOptions {
  readonly pack: Uint8Array
  /** Where the entries end and the trailer begins. */
  readonly entriesEnd: number
  readonly table: EntryTable
  readonly codecs: Codecs
  readonly intake: ObjectIntake
  /** Where whole objects are inflated. */
  readonly work: Arena
  /** As many bytes as deltas are expected to take, inflated. Memory that is never written costs nothing. */
  readonly deltaBytes: number
}

/**
 * Reads the entries of a pack in memory into the rows of a table, one behind the other: names whole objects, and keeps deltas inflated.
 * What a delta is based on stands in `header` until the next entry is read; to link it is left to the caller.
 */
export class EntryReader {
  readonly header = new EntryHeader()
  /** The deltas, inflated, side by side. */
  readonly deltas: Arena
  /** Where the next entry begins. */
  at: number
  readonly #options: EntryReaderOptions
  readonly #inflated: InflatedPack

  constructor(at: number, options: EntryReaderOptions) {
    this.at = at
    this.deltas = new Arena(Math.max(options.deltaBytes, LEAST_DELTA_BYTES))
    this.#options = options
    this.#inflated = createInflatedPack(options.pack, options.entriesEnd, options.codecs.inflate)
  }

  /**
   * Reads the entry at hand into the next row. Returns how it is stored.
   *
   * @throws GitError `CORRUPT_PACK`, `LIMIT_EXCEEDED`; what the visitor throws
   */
  read(): EntryType {
    const { pack, entriesEnd, table, intake, work, codecs } = this.#options
    const { header } = this
    const start = this.at
    const row = table.count
    try {
      if (!header.parse(pack, start, entriesEnd, table.idLength)) throw earlyEof()
    } catch (error) {
      throw inEntry(error, start)
    }
    const { size, type, dataAt } = header
    assertObjectSize(size, intake.maxObjectBytes)
    if (size > MAX_EXPANSION * (entriesEnd - dataAt)) this.#refuseSize(dataAt, size, start)
    table.offsets[row] = start
    table.dataAt[row] = dataAt - start
    table.sizes[row] = size
    table.types[row] = type
    if (isWhole(type) && size >= this.#inflated.largeFrom && !intake.wants(type)) {
      this.at = dataAt + this.#nameInPieces(start, dataAt, size, type, row)
    } else if (isWhole(type)) {
      work.ensure(HEADROOM + size)
      this.at = dataAt + inflateEntry(this.#inflated, start, dataAt, work.bytes, HEADROOM, size)
      intake.take(row, type, work.bytes, HEADROOM, size, table.ids, -1, 0, 0)
    } else {
      const at = this.deltas.reserve(size)
      this.at = dataAt + inflateEntry(this.#inflated, start, dataAt, this.deltas.bytes, at, size)
      table.deltaAt[row] = at
    }
    table.crcs[row] = codecs.crc32.update(0, pack, start, this.at)
    table.count++
    return type
  }

  /** Goes on behind entries that were read elsewhere. Returns where their deltas lie now. */
  adopt(end: number, deltas: Uint8Array): number {
    this.at = end
    const at = this.deltas.reserve(deltas.length)
    this.deltas.bytes.set(deltas, at)
    return at
  }

  /** Shows the whole object of a row that was read elsewhere to those who want to see it. */
  show(row: number): void {
    const { table, intake, work } = this.#options
    const type = table.types[row]! as ObjectType
    if (!intake.wants(type)) {
      intake.pass(row, type, -1)
      return
    }
    const size = table.sizes[row]!
    const start = smallInteger(table.offsets[row]!)
    work.ensure(HEADROOM + size)
    inflateEntry(this.#inflated, start, start + table.dataAt[row]!, work.bytes, HEADROOM, size)
    intake.show(row, type, work.bytes, HEADROOM, size, table.ids, -1, 0, 0)
  }

  /** Names a whole object that nobody wants to see. Returns how long its stream is. */
  #nameInPieces(offset: number, dataAt: number, size: number, type: ObjectType, row: number): number {
    const { table, intake } = this.#options
    const hash = intake.begin(type, size)
    const consumed = inflateInPieces(this.#inflated, offset, dataAt, size, (piece) => {
      hash.update(piece)
    })
    hash.digestInto(table.ids, row * table.idLength)
    intake.pass(row, type, -1)
    return consumed
  }

  /** Finds out what is wrong with an entry that claims more than all the rest of the pack can hold, without taking memory for it. */
  #refuseSize(dataAt: number, size: number, offset: number): never {
    const { pack, entriesEnd, codecs } = this.#options
    const ignore = (): void => undefined
    try {
      codecs.inflate.stream(ignore, size).push(pack, dataAt, entriesEnd)
    } catch (error) {
      throw inEntry(error, offset)
    }
    throw earlyEof()
  }
}
