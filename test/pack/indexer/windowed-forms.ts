import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import { concatBytes } from '../../../src/bytes/concat.ts'
import type { Codecs } from '../../../src/codec/ports.ts'
import { isGitError } from '../../../src/errors.ts'
import { objectFormat } from '../../../src/object/object-format.ts'
import type { RawObject } from '../../../src/object/object-reader.ts'
import type { RangeReader } from '../../../src/pack/indexer/file-window.ts'
import { indexPack } from '../../../src/pack/indexer/index-pack.ts'
import { WindowedIndexer } from '../../../src/pack/indexer/windowed-indexer.ts'

/** What a form of indexing made of a pack. */
export interface Outcome {
  /** SHA-256 of the files. */
  readonly index: string
  readonly reachability: string
  readonly pack: string
  readonly counts: readonly number[]
  /** Type, size and id of what was shown to the visitor, in order; blobs too large to be held are not shown. */
  readonly seen: readonly string[]
}

export interface FormOptions {
  readonly codecs: Codecs
  /** Finds the bases of a thin pack. */
  readonly readBase?: (id: Uint8Array) => RawObject | null
  readonly reachability?: boolean
  readonly maxObjectBytes?: number
}

export interface WindowedFormOptions extends FormOptions {
  readonly memoryBytes: number
  /** How large the chunks are in which the pack comes. */
  readonly chunkSize: number
}

function intake(options: FormOptions, seen: string[]): Parameters<typeof indexPack>[1] {
  const { codecs, reachability = true, maxObjectBytes } = options
  return {
    codecs,
    format: objectFormat('sha1', codecs),
    reachability,
    ...(maxObjectBytes === undefined ? {} : { maxObjectBytes }),
    visit: (type, body, id) => seen.push(`${type} ${body.length} ${Buffer.from(id).toString('hex')}`),
  }
}

export function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function outcomeOf(
  index: Uint8Array,
  reachability: Uint8Array | undefined,
  pack: Uint8Array,
  counts: readonly number[],
  seen: readonly string[],
): Outcome {
  return {
    index: digest(index),
    reachability: reachability === undefined ? '' : digest(reachability),
    pack: digest(pack),
    counts,
    seen,
  }
}

/** Checks that both forms came to the same result, or failed in the same words. */
export function expectSame(windowed: unknown, resident: unknown): void {
  if (!isOutcome(windowed) || !isOutcome(resident)) {
    expect(windowed).toEqual(resident)
    return
  }
  expect({ ...windowed, seen: [] }).toEqual({ ...resident, seen: [] })
  const shown = new Set(windowed.seen)
  expect(windowed.seen).toEqual(resident.seen.filter((line) => shown.has(line)))
  expect(resident.seen.filter((line) => !shown.has(line) && !line.startsWith('3 '))).toEqual([])
}

function isOutcome(value: unknown): value is Outcome {
  return typeof value === 'object' && value !== null && 'seen' in value
}

/** Indexes a pack in memory. */
export async function indexResident(pack: Uint8Array, options: FormOptions): Promise<Outcome> {
  const seen: string[] = []
  const { readBase } = options
  const found = await indexPack(pack, {
    ...intake(options, seen),
    ...(readBase === undefined ? {} : { readBases: (ids) => Promise.resolve(ids.map(readBase)) }),
  })
  const { index, reachability, pieces, objectCount, deltaCount, addedCount } = found
  return outcomeOf(index, reachability, concatBytes(pieces), [objectCount, deltaCount, addedCount], seen)
}

/** Indexes a pack as it streams by, and completes it. */
export async function indexWindowed(pack: Uint8Array, options: WindowedFormOptions): Promise<Outcome> {
  const seen: string[] = []
  const { memoryBytes, chunkSize, readBase, codecs } = options
  const { format, ...rest } = intake(options, seen)
  const indexer = new WindowedIndexer({ ...rest, format, memoryBytes })
  const chunk = new Uint8Array(Math.min(chunkSize, Math.max(1, pack.length)))
  for (let at = 0; at < pack.length; at += chunkSize) {
    const part = pack.subarray(at, at + chunkSize)
    chunk.set(part)
    indexer.push(chunk.subarray(0, part.length))
    // The chunk belongs to its maker again.
    chunk.fill(0xee)
  }
  indexer.endScan()
  await indexer.resolve(readerOf(pack))
  const added: Uint8Array[] = []
  if (readBase !== undefined) {
    for (const id of indexer.missingBases()) {
      if (!indexer.isWanted(id)) continue
      const base = readBase(id)
      if (base !== null) added.push(await indexer.addBase(id, base))
    }
  }
  indexer.assertResolved()
  let stored = pack
  if (added.length > 0) {
    const unsealed = concatBytes([pack.slice(0, pack.length - format.idLength), ...added])
    new DataView(unsealed.buffer).setUint32(8, new DataView(unsealed.buffer).getUint32(8) + added.length)
    const checksum = new Uint8Array(format.idLength)
    codecs.sha1.digestRangeInto(unsealed, 0, unsealed.length, checksum, 0)
    stored = concatBytes([unsealed, checksum])
  }
  const found = indexer.finish(added.length > 0 ? stored.slice(-format.idLength) : undefined)
  const { index, reachability, objectCount, deltaCount, addedCount } = found
  return outcomeOf(index, reachability, stored, [objectCount, deltaCount, addedCount], seen)
}

/** A file in memory, as strict as the contract allows. */
export function readerOf(bytes: Uint8Array): RangeReader {
  return {
    size: bytes.length,
    async read(ranges) {
      await Promise.resolve()
      return ranges.map(({ offset, length }) => {
        if (offset < 0 || length < 0 || offset + length > bytes.length) throw new Error('out of range')
        return Uint8Array.from(bytes.subarray(offset, offset + length))
      })
    },
  }
}

/** What comes of it: the outcome, or the code, message and details of the error. */
export async function settled(indexing: Promise<Outcome>): Promise<unknown> {
  try {
    return await indexing
  } catch (error) {
    if (!isGitError(error)) throw error
    const { code, message, details } = error
    return { code, message, details }
  }
}
