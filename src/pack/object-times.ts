import type { ObjectFormat } from '../object/object-format.ts'
import type { PackIndex } from './pack-index.ts'
import { encodeTable, parseTable } from './reverse-index.ts'

/*
 * `pack-*.mtimes` (gitformat-pack) makes a pack a cruft pack: one of objects that nothing reaches, with the moment (u32, seconds) from
 * which each counts as garbage, by rank in the index. The frame is that of `.rev`.
 */
const MAGIC = 0x4d544d45

/** Encodes the `.mtimes` file of a pack. */
export function encodeObjectTimes(
  times: Uint32Array,
  index: PackIndex,
  format: ObjectFormat,
): Uint8Array<ArrayBuffer> {
  return encodeTable(MAGIC, times, index, format)
}

/**
 * Parses a `.mtimes` file: seconds by rank.
 *
 * @throws GitError `CORRUPT_INDEX` when it is damaged or of another pack.
 */
export function parseObjectTimes(file: Uint8Array, index: PackIndex, format: ObjectFormat): Uint32Array {
  return parseTable(MAGIC, file, index, format, 'table of object times')
}
