import { GitError } from '../errors.ts'
import type { ObjectType } from '../object/object-type.ts'

/** Entry types beyond the four object types (gitformat-pack, "object types"). */
export const OFS_DELTA = 6
export const REF_DELTA = 7

/** The type of a pack entry: an object type, or one of the two delta forms. */
export type EntryType = ObjectType | typeof OFS_DELTA | typeof REF_DELTA

/** Whether an entry of this type holds the object itself. */
export function isWhole(type: number): type is ObjectType {
  return type !== OFS_DELTA && type !== REF_DELTA
}

/** The longest entry header: ten bytes of size, then an id of 32 bytes or an offset of ten. */
export const MAX_ENTRY_HEADER = 10 + 32

/** More than zlib can ever expand a byte to (about 1032), so that a lying size is refused before memory is taken for it. */
export const MAX_EXPANSION = 1040

/** What a bit of the tenth byte of a size is worth. */
const LAST_SCALE = 2 ** 60

/**
 * Reads the header of a pack entry: type, inflated size, and for deltas the base.
 *
 * Fields are overwritten by each `parse`; one reader is reused over a whole pack.
 */
export class EntryHeader {
  type: EntryType = 1
  /** Inflated size: of the object, or of the delta. */
  size = 0
  /** Where the zlib stream begins, as an index into the parsed bytes. */
  dataAt = 0
  /** For ofs-deltas: how far in front of this entry its base begins. */
  baseDistance = 0
  /** For ref-deltas: where the base's raw id begins, as an index into the parsed bytes. */
  baseIdAt = 0

  /**
   * Parses the header at `bytes[at]`.
   *
   * @returns false when `end` comes before the header's end.
   * @throws GitError `CORRUPT_PACK`
   */
  parse(bytes: Uint8Array, at: number, end: number, idLength: number): boolean {
    if (at >= end) return false
    let byte = bytes[at++]!
    const type = (byte >> 4) & 7
    let size = byte & 15
    let scale = 16
    while (byte >= 0x80) {
      if (scale > LAST_SCALE) throw new GitError('CORRUPT_PACK', 'pack entry has a size of too many bytes')
      if (at >= end) return false
      byte = bytes[at++]!
      size += (byte & 0x7f) * scale
      scale *= 128
    }
    if (size > Number.MAX_SAFE_INTEGER)
      throw new GitError('CORRUPT_PACK', 'pack entry names an impossible size')
    if (type === 0 || type === 5) throw new GitError('CORRUPT_PACK', `unknown object type ${type}`)
    if (type === OFS_DELTA) {
      if (at >= end) return false
      byte = bytes[at++]!
      let distance = byte & 0x7f
      while (byte >= 0x80 && distance <= Number.MAX_SAFE_INTEGER) {
        if (at >= end) return false
        byte = bytes[at++]!
        distance = (distance + 1) * 128 + (byte & 0x7f)
      }
      if (distance === 0 || distance > Number.MAX_SAFE_INTEGER) {
        throw new GitError('CORRUPT_PACK', 'delta base offset is out of bound')
      }
      this.baseDistance = distance
    } else if (type === REF_DELTA) {
      if (at + idLength > end) return false
      this.baseIdAt = at
      at += idLength
    }
    this.type = type as EntryType
    this.size = size
    this.dataAt = at
    return true
  }
}

/** Writes type and size to `out[at, …)` and returns the position behind them. */
export function encodeEntryHeader(type: EntryType, size: number, out: Uint8Array, at: number): number {
  let rest = Math.floor(size / 16)
  let byte = (type << 4) | (size % 16)
  while (rest > 0) {
    out[at++] = byte | 0x80
    byte = rest % 128
    rest = Math.floor(rest / 128)
  }
  out[at++] = byte
  return at
}

/** Writes the base distance of an ofs-delta to `out[at, …)` and returns the position behind it. */
export function encodeBaseDistance(distance: number, out: Uint8Array, at: number): number {
  let length = 1
  for (let rest = Math.floor(distance / 128); rest > 0; rest = Math.floor((rest - 1) / 128)) length++
  let rest = distance
  out[at + length - 1] = rest % 128
  rest = Math.floor(rest / 128)
  for (let k = length - 2; k >= 0; k--) {
    rest--
    out[at + k] = 0x80 | (rest % 128)
    rest = Math.floor(rest / 128)
  }
  return at + length
}
