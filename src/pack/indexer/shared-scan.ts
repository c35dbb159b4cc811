import { Arena } from '../../bytes/arena.ts'
import type { Codecs } from '../../codec/ports.ts'
import { objectFormat, type ObjectFormatName } from '../../object/object-format.ts'
import { OFS_DELTA } from '../entry-header.ts'
import { PACK_HEADER_LENGTH } from '../pack-header.ts'
import { EntryReader } from './entry-reader.ts'
import { EntryTable, type EntryColumns } from './entry-table.ts'
import { findEntry } from './find-entry.ts'
import { ObjectIntake } from './object-intake.ts'
import { sharedCopy } from './shared-memory.ts'

/**
 * A pack in memory whose entries threads read together; it can be posted to them. Who asks reads the parts from the first one on, the
 * others from the last one on. Where the first entry of a part begins the others can only guess: what they have read counts when the
 * part in front of it ends there.
 */
export interface SharedScan {
  readonly formatName: ObjectFormatName
  readonly maxObjectBytes: number
  readonly pack: Uint8Array
  readonly entriesEnd: number
  /** How many entries the pack has, if its header can be believed. */
  readonly declaredCount: number
  readonly partBytes: number
  /** By part, 1 once somebody reads it. */
  readonly taken: Int32Array
}

/** What a thread has read from what seems to be the first entry of a part on, as columns of an entry table. It can be posted. */
export interface ScannedPart extends EntryColumns {
  /** Where its entries begin and end in the pack. */
  readonly start: number
  readonly end: number
  /** Of ofs-deltas, how far in front of them their bases begin. */
  readonly baseDistances: Float64Array
  /** What `deltaAt` is about. */
  readonly deltas: Uint8Array
}

/** Where a part begins, its first byte; the part with the number of all parts is the end of the last one. */
export function partStart({ partBytes, entriesEnd }: SharedScan, part: number): number {
  return Math.min(PACK_HEADER_LENGTH + part * partBytes, entriesEnd)
}

/** A pack in shared memory whose entries are to be read. */
export interface Unscanned extends Pick<SharedScan, 'pack' | 'entriesEnd' | 'declaredCount'> {
  readonly intake: ObjectIntake
}

/** Makes a pack ready to be read by threads, so many bytes at a time. */
export function shareScan(
  { pack, entriesEnd, declaredCount, intake }: Unscanned,
  partBytes: number,
): SharedScan {
  const parts = Math.ceil((entriesEnd - PACK_HEADER_LENGTH) / partBytes)
  return {
    formatName: intake.hash.name,
    maxObjectBytes: intake.maxObjectBytes,
    pack,
    entriesEnd,
    declaredCount,
    partBytes,
    taken: new Int32Array(new SharedArrayBuffer(4 * parts)),
  }
}

/** Takes a part, unless somebody else has. */
export function takePart({ taken }: SharedScan, part: number): boolean {
  return Atomics.exchange(taken, part, 1) === 0
}

/** Lets nobody take any more. */
export function endScan({ taken }: SharedScan): void {
  for (let part = 0; part < taken.length; part++) Atomics.store(taken, part, 1)
}

/** Reads parts that nobody has taken, until there are none. A part with an entry that cannot be read is left out. */
export function scanParts(scan: SharedScan, codecs: Codecs): ScannedPart[] {
  const parts: ScannedPart[] = []
  const work = new Arena(1 << 16)
  for (let part = scan.taken.length - 1; part > 0; part--) {
    if (!takePart(scan, part)) continue
    try {
      const scanned = scanPart(scan, part, codecs, work)
      if (scanned !== undefined) parts.push(scanned)
    } catch {
      // Who reads the entries in order meets the error itself, unless there is no entry.
    }
  }
  return parts
}

function scanPart(scan: SharedScan, part: number, codecs: Codecs, work: Arena): ScannedPart | undefined {
  const { pack, entriesEnd, declaredCount, maxObjectBytes } = scan
  const format = objectFormat(scan.formatName, codecs)
  const { idLength } = format
  const end = partStart(scan, part + 1)
  const start = findEntry(pack, partStart(scan, part), end, entriesEnd, idLength, codecs)
  if (start < 0) return undefined
  const table = new EntryTable(Math.ceil((1.5 * declaredCount) / scan.taken.length) + 16, idLength)
  const intake = new ObjectIntake({ format, maxObjectBytes })
  const reader = new EntryReader(start, {
    pack,
    entriesEnd,
    table,
    codecs,
    intake,
    work,
    deltaBytes: scan.partBytes / 2,
  })
  const distances: number[] = []
  while (reader.at < end) {
    table.ensureRow()
    distances.push(reader.read() === OFS_DELTA ? reader.header.baseDistance : 0)
  }
  const { count } = table
  return {
    start,
    end: reader.at,
    offsets: sharedCopy(table.offsets.subarray(0, count)),
    dataAt: sharedCopy(table.dataAt.subarray(0, count)),
    sizes: sharedCopy(table.sizes.subarray(0, count)),
    types: sharedCopy(table.types.subarray(0, count)),
    crcs: sharedCopy(table.crcs.subarray(0, count)),
    ids: sharedCopy(table.ids.subarray(0, count * idLength)),
    deltaAt: sharedCopy(table.deltaAt.subarray(0, count)),
    baseDistances: sharedCopy(Float64Array.from(distances)),
    deltas: sharedCopy(reader.deltas.bytes.subarray(0, reader.deltas.length)),
  }
}
