import { yieldToHost } from '../../bytes/yield-to-host.ts'
import type { Crc32 } from '../../codec/ports.ts'
import { GitError } from '../../errors.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import {
  encodeBaseDistance,
  encodeEntryHeader,
  EntryHeader,
  MAX_ENTRY_HEADER,
  OFS_DELTA,
} from '../../pack/entry-header.ts'
import { encodePackHeader, PACK_HEADER_LENGTH } from '../../pack/pack-header.ts'
import { PackOutput } from '../../pack/pack-output.ts'
import type { CopiedPack } from './joined-rows.ts'

/**
 * Writes the entries of packs one behind the other as they are stored, without a look at what is in them. Only a delta whose distance to its
 * base has changed gets a new header. The checksum of each, from the index of its pack, is checked on the way.
 */
export class EntryCopier {
  /** Columns by row, filled as entries are copied. */
  readonly ids: Uint8Array
  readonly crcs: Uint32Array
  readonly offsets: Float64Array
  readonly #output: PackOutput
  readonly #crc32: Crc32
  readonly #pieceBytes: number
  readonly #header = new EntryHeader()
  readonly #newHeader = new Uint8Array(MAX_ENTRY_HEADER)
  /** Bytes of the pack that is read, and the offset there at which they begin. */
  #piece: Uint8Array = new Uint8Array(0)
  #pieceAt = 0
  /** Up to which offset the pack's bytes were passed on, or left out. */
  #passed = 0

  /** @param pieceBytes what is read of a pack at a time, enough for a header of an entry. */
  constructor(count: number, format: ObjectFormat, crc32: Crc32, pieceBytes: number) {
    this.ids = new Uint8Array(count * format.idLength)
    this.crcs = new Uint32Array(count)
    this.offsets = new Float64Array(count)
    this.#crc32 = crc32
    this.#pieceBytes = pieceBytes
    this.#output = new PackOutput(format)
    this.#output.append(encodePackHeader(count), 0, PACK_HEADER_LENGTH)
  }

  /**
   * Copies the entries of the next pack. The chunks belong to the receiver.
   *
   * @throws GitError `CORRUPT_PACK` where an entry is not what the index says
   */
  async *copy(pack: CopiedPack): AsyncGenerator<Uint8Array, void, undefined> {
    const { file, index, rows, firstRow } = pack
    const { packOrder, sortedOffsets, idLength } = index
    this.#piece = new Uint8Array(0)
    this.#pieceAt = 0
    this.#passed = sortedOffsets[0] ?? 0
    for (let position = 0; position < rows.length; position++) {
      const row = rows[position]!
      const start = sortedOffsets[position]!
      const end = file.entryEnd(position)
      if (row < firstRow) {
        this.#pass(start)
        this.#passed = end
        continue
      }
      if (Math.min(end, start + MAX_ENTRY_HEADER) > this.#pieceEnd) yield* this.#readOn(pack, start)
      const rank = packOrder[position]!
      this.ids.set(index.id(rank), row * idLength)
      this.offsets[row] = this.#output.total + start - this.#passed
      // The checksums of the entry as it was, and as it becomes where its header changes.
      let from = this.#changeHeader(pack, position)
      let was = this.#crc(0, start, from)
      const changed = from > start
      for (;;) {
        const to = Math.min(end, this.#pieceEnd)
        was = this.#crc(was, from, to)
        if (changed) this.crcs[row] = this.#crc(this.crcs[row]!, from, to)
        from = to
        if (from === end) break
        yield* this.#readOn(pack, from)
      }
      if (was !== index.crc(rank)) throw damaged(pack, start)
      if (!changed) this.crcs[row] = was
    }
    this.#pass(this.#pieceEnd)
    yield* this.#output.ready.splice(0)
  }

  /** Ends the pack: its last chunks, and its checksum. */
  finish(): { readonly chunks: readonly Uint8Array[]; readonly checksum: Uint8Array } {
    const checksum = this.#output.finish()
    return { chunks: this.#output.ready.splice(0), checksum }
  }

  get #pieceEnd(): number {
    return this.#pieceAt + this.#piece.length
  }

  #crc(crc: number, from: number, to: number): number {
    return this.#crc32.update(crc, this.#piece, from - this.#pieceAt, to - this.#pieceAt)
  }

  /** Passes on what there is of the pack's bytes up to an offset. */
  #pass(to: number): void {
    const end = Math.min(to, this.#pieceEnd)
    if (this.#passed >= end) return
    this.#output.appendOwned(this.#piece.subarray(this.#passed - this.#pieceAt, end - this.#pieceAt))
    this.#passed = end
  }

  /** Passes on what is in front of an offset, and goes on with the bytes from there. */
  async *#readOn({ file }: CopiedPack, from: number): AsyncGenerator<Uint8Array, void, undefined> {
    this.#pass(from)
    yield* this.#output.ready.splice(0)
    await yieldToHost()
    const stored = await file.data.file()
    const length = Math.min(this.#pieceBytes, file.entriesEnd - from)
    const [piece] = await stored.read([{ offset: from, length }])
    this.#piece = piece ?? new Uint8Array(0)
    this.#pieceAt = from
  }

  /**
   * Writes a new header where the base of a delta is at another distance now, and begins the checksum with it.
   *
   * @returns where the rest of the entry begins: at the entry when nothing has changed.
   */
  #changeHeader(pack: CopiedPack, position: number): number {
    const { index, rows, reachability } = pack
    const base = reachability.bases[position]!
    const start = index.sortedOffsets[position]!
    if (base < 0 || reachability.isRefDelta(position)) return start
    const row = rows[position]!
    const distance = this.offsets[row]! - this.offsets[rows[base]!]!
    const formerDistance = start - index.sortedOffsets[base]!
    if (distance === formerDistance) return start
    const header = this.#header
    const at = start - this.#pieceAt
    const isWhole = header.parse(this.#piece, at, this.#piece.length, index.idLength)
    if (!isWhole || header.type !== OFS_DELTA || header.baseDistance !== formerDistance)
      throw damaged(pack, start)
    const distanceAt = encodeEntryHeader(OFS_DELTA, header.size, this.#newHeader, 0)
    const length = encodeBaseDistance(distance, this.#newHeader, distanceAt)
    this.#pass(start)
    this.#output.append(this.#newHeader, 0, length)
    this.crcs[row] = this.#crc32.update(0, this.#newHeader, 0, length)
    this.#passed = this.#pieceAt + header.dataAt
    return this.#passed
  }
}

function damaged({ file }: CopiedPack, offset: number): GitError {
  return new GitError(
    'CORRUPT_PACK',
    `the entry at offset ${offset} of ${file.name} is not what the index says; nothing was changed`,
    { details: { pack: file.name, offset } },
  )
}
