import type { LruSpace, SharedLru } from '../bytes/shared-lru.ts'
import type { Codecs } from '../codec/ports.ts'
import { applyDelta } from '../delta/apply-delta.ts'
import { Arena } from '../bytes/arena.ts'
import { DeltaComposer } from '../delta/compose-deltas.ts'
import { DeltaHeader } from '../delta/delta-header.ts'
import { GitError, isGitError } from '../errors.ts'
import type { RawObject } from '../object/object-reader.ts'
import type { ObjectType } from '../object/object-type.ts'
import { EntryHeader, MAX_ENTRY_HEADER, MAX_EXPANSION, OFS_DELTA, REF_DELTA } from '../pack/entry-header.ts'
import type { PackMask } from '../pack/pack-mask.ts'
import type { PackIndex } from '../pack/pack-index.ts'
import type { PackReachability } from '../pack/reachability/pack-reachability.ts'
import type { PackData } from './pack-data.ts'

/** The largest object that one array holds on every runtime. */
const MAX_OBJECT_BYTES = 0x7fffffff

/**
 * From this size of the base on, and when the cache holds less than this part of as many objects of that size as the pack has, a chain of
 * deltas is composed and only the object itself is made. Otherwise every version on the way is made and remembered, as the next one that is
 * asked for may well be among them.
 */
const COMPOSE_FROM = 16 << 10
const COMPOSE_PART = 16

/** What an object in the cache weighs beyond its body. */
const OBJECT_OVERHEAD = 200

/** Chains kept half-followed; beyond it they are dropped (their readers gave up, or begin again). */
const MAX_PENDING = 4096

/**
 * Where the cache holds less than this part of as many objects of the base's size as the pack has, only each so many of the versions on the way
 * are remembered beside the one that is asked for: the cache reaches further then, and fewer arrays are made, which costs more than to apply
 * the few deltas between again.
 */
const REMEMBERED_PART = 4
const REMEMBERED_STEP = 8

/** From bases of up to this size versions are made beside each other; larger ones are moved no more often than need be. */
const APPLIED_TOGETHER = 32 << 10

/** Room for the deltas of a chain that is kept from one to the next. */
const KEPT_ROOM = 256 << 10

/** A delta on the way from an object to its base: the offset of the object it makes, and where the delta is in the arena. */
interface DeltaLink {
  readonly offset: number
  readonly start: number
  readonly end: number
}

/** A chain that could not be followed to its end because bytes were not resident; continued by the next try. */
interface PendingChain {
  readonly deltas: readonly { readonly offset: number; readonly delta: Uint8Array }[]
  /** Offset of the entry to read next. */
  readonly next: number
}

/** An inflated entry: an object, or a delta that is in the arena. */
interface InflatedEntry {
  readonly type: number
  /** Empty for a delta. */
  readonly body: Uint8Array
  /** Offset of a delta's base, -1 for a whole object. */
  readonly base: number
  /** Where a delta is. */
  readonly start: number
  readonly end: number
}

const NO_BYTES: Uint8Array = /* @__PURE__ */ new Uint8Array(0)

/** How a stored entry is packed, without its content. */
export interface StoredEntry {
  /** 1 to 4 for a whole object, or a delta form. */
  readonly type: number
  /** Inflated size of the entry: of the object or of the delta. */
  readonly size: number
  /** Bytes of the entry's header. */
  readonly headerLength: number
  /** Rank of a delta's base in the same pack, or -1. */
  readonly baseRank: number
}

/** A pack whose reachability is written down. */
export type ReachablePackFile = PackFile & { readonly reachability: PackReachability }

/** Whether the reachability of a pack is written down. */
export function isReachable(pack: PackFile): pack is ReachablePackFile {
  return pack.reachability !== undefined
}

/** One pack: its index, resident, and its data through the block cache. Reads objects through delta chains of any depth. */
export class PackFile {
  readonly name: string
  readonly index: PackIndex
  readonly data: PackData
  /** What its objects point at, where that is written down. */
  reachability: PackReachability | undefined
  /** Which of its objects are visible; absent: all. What is asked by rank is answered for the others too. */
  readonly mask: PackMask | undefined
  /** Whether a remote has promised to hand out what its objects name and is not there. Set by who opens the pack. */
  promisor = false
  readonly #codecs: Codecs
  readonly #objects: LruSpace<RawObject>
  readonly #header = new EntryHeader()
  readonly #deltaHeader = new DeltaHeader()
  #composer: DeltaComposer | undefined
  readonly #cache: SharedLru<RawObject>
  readonly #pending = new Map<number, PendingChain>()
  /** The deltas of the chain that is being followed; of no use once it was applied. */
  readonly #deltas = new Arena(0)

  constructor(
    name: string,
    index: PackIndex,
    data: PackData,
    codecs: Codecs,
    objects: SharedLru<RawObject>,
    reachability?: PackReachability,
    mask?: PackMask,
  ) {
    this.name = name
    this.index = index
    this.data = data
    this.reachability = reachability
    this.mask = mask
    this.#codecs = codecs
    this.#objects = objects.openSpace()
    this.#cache = objects
  }

  /** The rank of a visible object, by the raw id at `bytes[at]`; -1 when there is none. */
  find(bytes: Uint8Array, at = 0): number {
    const rank = this.index.find(bytes, at)
    return rank >= 0 && this.mask?.has(rank) === false ? -1 : rank
  }

  /** Bytes where entries end and the trailer begins. */
  get entriesEnd(): number {
    return this.data.size - this.index.idLength
  }

  /** Where the entry at this position of the index's pack order ends. */
  entryEnd(position: number): number {
    const offsets = this.index.sortedOffsets
    return position + 1 < offsets.length ? Math.min(offsets[position + 1]!, this.entriesEnd) : this.entriesEnd
  }

  /**
   * The object of this rank, or `undefined` when bytes are not resident: they are then noted in {@link data}.
   *
   * @throws GitError `CORRUPT_PACK`
   */
  tryRead(rank: number): RawObject | undefined {
    const offset = this.index.offset(rank)
    try {
      return this.#tryReadAt(offset)
    } catch (error) {
      this.#pending.delete(offset)
      if (!isGitError(error) || error.code === 'NOT_FOUND') throw error
      throw new GitError(
        'CORRUPT_PACK',
        `object at offset ${offset} of ${this.name} cannot be read: ${error.message}`,
        {
          details: { pack: this.name, offset },
          cause: error,
        },
      )
    }
  }

  #tryReadAt(offset: number): RawObject | undefined {
    const cached = this.#objects.get(offset)
    if (cached !== undefined) return cached
    try {
      return this.#tryFollow(offset)
    } finally {
      this.#deltas.length = 0
      this.#deltas.shrink(KEPT_ROOM)
    }
  }

  /** Follows a chain of deltas from the object at `offset` down to one that is whole or in the cache, and applies it. */
  #tryFollow(offset: number): RawObject | undefined {
    const links: DeltaLink[] = []
    let next = this.#resume(offset, links)
    let base = this.#objects.get(next)
    while (base === undefined) {
      const entry = this.#tryInflate(next)
      if (entry === undefined) {
        this.#suspend(offset, links, next)
        return undefined
      }
      if (entry.base < 0) {
        base = { type: entry.type as ObjectType, body: entry.body }
        this.#remember(next, base)
        break
      }
      if (links.length > this.index.objectCount) throw new GitError('CORRUPT_PACK', 'delta chain is a circle')
      links.push({ offset: next, start: entry.start, end: entry.end })
      next = entry.base
      base = this.#objects.get(next)
    }
    this.#pending.delete(offset)
    return this.#applyChain(base, links)
  }

  /** Keeps what was inflated of a chain. */
  #suspend(offset: number, links: readonly DeltaLink[], next: number): void {
    const { bytes } = this.#deltas
    if (this.#pending.size >= MAX_PENDING) this.#pending.clear()
    const deltas = links.map((link) => ({ offset: link.offset, delta: bytes.slice(link.start, link.end) }))
    this.#pending.set(offset, { deltas, next })
  }

  /** Takes up what was kept of a chain; returns the offset to go on at. */
  #resume(offset: number, links: DeltaLink[]): number {
    const pending = this.#pending.get(offset)
    if (pending === undefined) return offset
    for (const { offset: at, delta } of pending.deltas) {
      const start = this.#deltas.reserve(delta.length)
      this.#deltas.bytes.set(delta, start)
      links.push({ offset: at, start, end: start + delta.length })
    }
    return pending.next
  }

  /** Makes the object that a chain of deltas on this base leads to. */
  #applyChain(base: RawObject, links: readonly DeltaLink[]): RawObject {
    const [last] = links
    if (last === undefined) return base
    if (links.length > 1 && this.#isComposed(base.body.length)) {
      this.#composer ??= new DeltaComposer()
      const { bytes } = this.#deltas
      const deltas = links.map(({ start, end }) => bytes.subarray(start, end))
      const body = this.#composer.tryApply(base.body, deltas, MAX_OBJECT_BYTES)
      if (body !== undefined) {
        const object = { type: base.type, body }
        this.#remember(last.offset, object)
        return object
      }
    }
    return this.#applyEach(base, links)
  }

  #isComposed(baseSize: number): boolean {
    return (
      baseSize >= COMPOSE_FROM && baseSize * this.index.objectCount >= COMPOSE_PART * this.#cache.maxBytes
    )
  }

  /** Applies deltas from the base upwards, and remembers versions on the way. */
  #applyEach(base: RawObject, links: readonly DeltaLink[]): RawObject {
    return links.length > 1 && base.body.length <= APPLIED_TOGETHER
      ? this.#applyTogether(base, links)
      : this.#applyApart(base, links)
  }

  /** Makes each version as an array of its own. */
  #applyApart(base: RawObject, links: readonly DeltaLink[]): RawObject {
    const header = this.#deltaHeader
    const { bytes } = this.#deltas
    let object = base
    for (let k = links.length - 1; k >= 0; k--) {
      const { offset, start, end } = links[k]!
      const { length } = object.body
      this.#parseHeader(start, end, length)
      const { resultSize, at } = header
      const body = new Uint8Array(resultSize)
      applyDelta(bytes, at, end, object.body, 0, length, body, 0, resultSize)
      object = { type: base.type, body }
      this.#remember(offset, object)
    }
    return object
  }

  /** Makes versions beside the deltas, where bytes move fastest and no arrays are made; those to be remembered are copied from there. */
  #applyTogether({ type, body: base }: RawObject, links: readonly DeltaLink[]): RawObject {
    const header = this.#deltaHeader
    const versions = base.length * this.index.objectCount
    const step = versions > REMEMBERED_PART * this.#cache.maxBytes ? REMEMBERED_STEP : 1
    let size = base.length
    // The place of a version, and that of the one before, where the next one goes.
    let place = this.#reservePlace(size)
    let spare = { at: 0, room: -1 }
    this.#deltas.bytes.set(base, place.at)
    let body = base
    for (let k = links.length - 1; k >= 0; k--) {
      const { offset, start, end } = links[k]!
      this.#parseHeader(start, end, size)
      const { resultSize, at } = header
      if (resultSize > 2 * APPLIED_TOGETHER) {
        const grown = { type, body: this.#deltas.bytes.slice(place.at, place.at + size) }
        return this.#applyApart(grown, links.slice(0, k + 1))
      }
      const next = spare.room >= resultSize ? spare : this.#reservePlace(resultSize)
      const { bytes } = this.#deltas
      applyDelta(bytes, at, end, bytes, place.at, size, bytes, next.at, resultSize)
      spare = place
      place = next
      size = resultSize
      if (k > 0 && (links.length - k) % step !== 0) continue
      body = bytes.slice(place.at, place.at + size)
      this.#remember(offset, { type, body })
    }
    return { type, body }
  }

  /** Room beside the deltas for a version of this size, and for one that is a little larger. */
  #reservePlace(size: number): { readonly at: number; readonly room: number } {
    const room = size + (size >> 2)
    return { at: this.#deltas.reserve(room), room }
  }

  /** Reads the header of the delta at `start` of the arena, which must be for a base of this size. */
  #parseHeader(start: number, end: number, baseSize: number): void {
    const header = this.#deltaHeader
    header.parse(this.#deltas.bytes, start, end)
    if (header.baseSize !== baseSize) throw new GitError('CORRUPT_DELTA', 'delta base size mismatch')
    assertSize(header.resultSize, MAX_OBJECT_BYTES)
  }

  #remember(offset: number, object: RawObject): void {
    this.#objects.set(offset, object, object.body.length + OBJECT_OVERHEAD)
  }

  /** Inflates the entry at `offset`, a delta into the arena. */
  #tryInflate(offset: number): InflatedEntry | undefined {
    const { data, index } = this
    const header = this.#header
    const position = index.positionOf(offset)
    if (position < 0) throw new GitError('CORRUPT_PACK', `no entry begins at offset ${offset}`)
    const length = this.entryEnd(position) - offset
    if (length <= 0) throw new GitError('CORRUPT_PACK', `no entry can begin at offset ${offset}`)
    if (!data.tryWindow(offset, length)) return undefined
    const bytes = data.window
    const start = data.windowAt
    const end = start + length
    if (!header.parse(bytes, start, end, index.idLength))
      throw new GitError('CORRUPT_PACK', 'entry header is cut short')
    const { type, size, dataAt } = header
    const base = this.#baseOffset(header, bytes, offset)
    assertSize(size, Math.min(MAX_OBJECT_BYTES, MAX_EXPANSION * (end - dataAt)))
    const inflatedAt = base < 0 ? 0 : this.#deltas.reserve(size)
    const out = base < 0 ? new Uint8Array(size) : this.#deltas.bytes
    if (this.#codecs.inflate.inflateInto(bytes, dataAt, end, out, inflatedAt, size) < 0) {
      throw new GitError('CORRUPT_PACK', 'entry is cut short')
    }
    return { type, body: base < 0 ? out : NO_BYTES, base, start: inflatedAt, end: inflatedAt + size }
  }

  #baseOffset(header: EntryHeader, bytes: Uint8Array, offset: number): number {
    if (header.type === OFS_DELTA) {
      if (header.baseDistance > offset)
        throw new GitError('CORRUPT_PACK', 'delta base offset is out of bound')
      return offset - header.baseDistance
    }
    if (header.type !== REF_DELTA) return -1
    const rank = this.index.find(bytes, header.baseIdAt)
    if (rank < 0) throw new GitError('MISSING_BASE', 'base of a ref-delta is not in the pack')
    return this.index.offset(rank)
  }

  /**
   * How the entry of this rank is stored, or `undefined` when its first bytes are not resident.
   *
   * @throws GitError `CORRUPT_PACK`
   */
  tryEntry(rank: number): StoredEntry | undefined {
    const { data, index } = this
    const offset = index.offset(rank)
    const length = Math.min(MAX_ENTRY_HEADER, this.entriesEnd - offset)
    if (length <= 0)
      throw new GitError('CORRUPT_PACK', `no entry of ${this.name} can begin at offset ${offset}`)
    if (!data.tryWindow(offset, length)) return undefined
    const header = this.#header
    const start = data.windowAt
    if (!header.parse(data.window, start, start + length, index.idLength)) {
      throw new GitError('CORRUPT_PACK', `entry header at offset ${offset} of ${this.name} is cut short`)
    }
    const { type, size, dataAt } = header
    let baseRank = -1
    if (type === OFS_DELTA) baseRank = index.rankAt(offset - header.baseDistance)
    else if (type === REF_DELTA) baseRank = index.find(data.window, header.baseIdAt)
    if (baseRank < 0 && (type === OFS_DELTA || type === REF_DELTA)) {
      throw new GitError(
        'CORRUPT_PACK',
        `base of the delta at offset ${offset} of ${this.name} is not in the pack`,
      )
    }
    return { type, size, headerLength: dataAt - start, baseRank }
  }

  /**
   * The type of the object of this rank, by the headers of the entries it is made of; `undefined` when they are not resident.
   *
   * @throws GitError `CORRUPT_PACK`
   */
  tryType(rank: number): ObjectType | undefined {
    const { reachability, index } = this
    if (reachability !== undefined) return reachability.type(index.positions[rank]!)
    let current = rank
    for (let links = 0; links <= index.objectCount; links++) {
      const entry = this.tryEntry(current)
      if (entry === undefined) return undefined
      if (entry.baseRank < 0) return entry.type as ObjectType
      current = entry.baseRank
    }
    throw new GitError('CORRUPT_PACK', `a delta chain of ${this.name} is a circle`)
  }

  /**
   * The size of the object of this rank; `undefined` when its entry is not resident. A delta says it without its base.
   *
   * @throws GitError `CORRUPT_PACK`, `CORRUPT_DELTA`, `CORRUPT_ZLIB`
   */
  trySize(rank: number): number | undefined {
    const entry = this.tryEntry(rank)
    if (entry === undefined || entry.baseRank < 0) return entry?.size
    try {
      const inflated = this.#tryInflate(this.index.offset(rank))
      if (inflated === undefined) return undefined
      this.#deltaHeader.parse(this.#deltas.bytes, inflated.start, inflated.end)
      return this.#deltaHeader.resultSize
    } finally {
      this.#deltas.length = 0
      this.#deltas.shrink(KEPT_ROOM)
    }
  }

  /** Drops cached bytes and closes the file. */
  async close(): Promise<void> {
    this.#objects.clear()
    this.#pending.clear()
    await this.data.close()
  }
}

/** Refuses sizes that cannot be true before memory is taken for them. */
function assertSize(size: number, most: number): void {
  if (size > most) throw new GitError('CORRUPT_PACK', `size of ${size} bytes; at most ${most} are possible`)
}
